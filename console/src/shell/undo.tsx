/** Tell that something was done, with the way back where there is one. */
import { App, Button } from "antd";
import { useTranslation } from "react-i18next";

import { useDoing } from "./doing";

const SECONDS = { plain: 3, undo: 10 };

export interface Told {
  /** Takes it back exactly; left out where nobody can. */
  back?: (() => Promise<unknown>) | null | undefined;
}

let told = 0;

export function useTelling(): (text: string, told?: Told) => void {
  const { message } = App.useApp();
  return (text, { back } = {}) => {
    const key = `told-${++told}`;
    const close = () => {
      message.destroy(key);
    };
    void message.success({
      key,
      content: (
        <>
          {text}
          {back && <Back back={back} close={close} />}
        </>
      ),
      duration: back ? SECONDS.undo : SECONDS.plain,
    });
  };
}

function Back({ back, close }: { back: () => Promise<unknown>; close: () => void }) {
  const { t } = useTranslation("shell");
  const { attempt } = useDoing();
  return (
    <Button
      type="link"
      size="small"
      onClick={() => {
        close();
        void attempt(back);
      }}
    >
      {t("undo")}
    </Button>
  );
}
