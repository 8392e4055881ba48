/**
 * The styles of the components that the console uses, made as it is built. The components would make them in each
 * browser at each visit, which took longer than all that a page itself does. They are the same in every appearance, as
 * all colours and sizes in them are variables; those of a component that is missing here are made in the browser.
 */
import { createCache, extractStyle, StyleProvider } from "@ant-design/cssinjs";
import {
  Alert,
  App,
  Button,
  Checkbox,
  ConfigProvider,
  DatePicker,
  Drawer,
  Dropdown,
  Form,
  Input,
  InputNumber,
  Modal,
  Popover,
  Progress,
  QRCode,
  Radio,
  Segmented,
  Select,
  Skeleton,
  Space,
  Table,
  Tabs,
  Tag,
  Tooltip,
  Upload,
} from "antd";
import { createElement as make } from "react";
import { renderToString } from "react-dom/server";
import type { Plugin } from "vite";

const NAME = "components.css";

const ALL = [
  make(Alert, { title: "." }),
  make(Button),
  make(Checkbox),
  make(DatePicker),
  make(Drawer, { open: true }),
  make(Dropdown, { menu: { items: [] } }, make("i")),
  make(Form, null, make(Form.Item, null, make(Input))),
  make(Input.Search),
  make(Input.TextArea),
  make(InputNumber),
  make(Modal, { open: true }),
  make(Popover, null, make("i")),
  make(Progress),
  make(QRCode, { value: "." }),
  make(Radio),
  make(Segmented, { options: ["."] }),
  make(Select),
  make(Skeleton),
  make(Space.Compact),
  make(Table),
  make(Tabs, { items: [] }),
  make(Tag),
  make(Tag, { color: "success" }),
  make(Tooltip, null, make("i")),
  make(Upload),
];

function styles(): string {
  const cache = createCache();
  const page = make(ConfigProvider, { theme: { hashed: false } }, make(App, null, ...ALL));
  renderToString(make(StyleProvider, { cache }, page));
  return extractStyle(cache, { plain: true, types: "style" });
}

/** Links them before all other styles, which change them here and there. */
export function components(): Plugin {
  return {
    name: "components",
    apply: "build",
    buildStart() {
      this.emitFile({ type: "asset", name: NAME, source: styles() });
    },
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle }) {
        const made = Object.values(bundle ?? {}).find((file) => file.type === "asset" && file.names.includes(NAME));
        if (!made) throw new Error(`${NAME} was not made`);
        return [{ tag: "link", attrs: { rel: "stylesheet", href: `/${made.fileName}` }, injectTo: "head-prepend" }];
      },
    },
  };
}
