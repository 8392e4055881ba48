/** A dialog that makes a thing or changes it: filled from the thing as it is when the dialog opens, saved if it still is so. */
import { useMutation } from "@tanstack/react-query";
import { Form, Modal, type FormInstance } from "antd";
import { useId, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useEdited, type Reading, type Tagged } from "@/platform/editing";

import { Answer, Refused } from "./Answer";

interface Shape<Thing, Given> {
  /** What the fields begin with. */
  begin: (before: Thing | null) => Partial<Given>;
  onValuesChange?: (changed: Partial<Given>, form: FormInstance<Given>) => void;
  children: (form: FormInstance<Given>, before: Thing | null) => ReactNode;
}

interface Props<Thing, Given> extends Shape<Thing, Given> {
  title: string;
  about?: ReactNode;
  /** Which thing is changed; null to make one. */
  of: Reading<Thing> | null;
  /** Saves what was given in place of what the dialog was filled from, if anything. */
  save: (given: Given, before: Tagged<Thing> | null) => Promise<unknown>;
  close: () => void;
  /** What the button says that saves, and whether that is to be thought about twice. */
  does?: { text: string; danger?: boolean };
  height?: number;
}

export function EditDialog<Thing, Given extends object>(props: Props<Thing, Given>) {
  const { title, about, of, save, close, does, height = 200, ...shape } = props;
  const { t } = useTranslation("shell");
  const id = useId();
  const edited = useEdited(of);
  const saving = useMutation({
    mutationFn: (given: Given) => save(given, edited.data ?? null),
    onSuccess: close,
  });
  const fields = (before: Tagged<Thing> | null) => (
    <Fields<Thing, Given>
      // Loaded anew, it begins anew.
      key={before?.tag ?? "new"}
      id={id}
      before={before?.thing ?? null}
      send={saving.mutate}
      {...shape}
    />
  );
  return (
    <Modal
      open
      title={title}
      okText={does?.text ?? t("save")}
      cancelText={t("cancel")}
      okButtonProps={{
        htmlType: "submit",
        form: id,
        loading: saving.isPending,
        disabled: of !== null && !edited.data,
        danger: does?.danger ?? false,
      }}
      onCancel={close}
    >
      {about && <p>{about}</p>}
      {/* The fields at once, as the button below them may be pressed from then on. */}
      {of && !edited.data ? (
        <Answer of={edited} height={height}>
          {fields}
        </Answer>
      ) : (
        fields(edited.data ?? null)
      )}
      {saving.error && (
        <Refused
          error={saving.error}
          newest={() => {
            saving.reset();
            edited.renew();
          }}
        />
      )}
    </Modal>
  );
}

interface FieldsProps<Thing, Given> extends Shape<Thing, Given> {
  id: string;
  before: Thing | null;
  send: (given: Given) => void;
}

function Fields<Thing, Given extends object>(props: FieldsProps<Thing, Given>) {
  const { id, before, send, begin, onValuesChange, children } = props;
  const [form] = Form.useForm<Given>();
  return (
    <Form<Given>
      id={id}
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={begin(before)}
      onValuesChange={(changed: Partial<Given>) => onValuesChange?.(changed, form)}
      onFinish={send}
    >
      {children(form, before)}
    </Form>
  );
}
