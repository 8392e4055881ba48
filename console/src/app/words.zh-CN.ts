/** All that the console says in Chinese. */
import locale from "antd/locale/zh_CN";

import names from "@/base/locale/zh-CN.json";
import access from "@/features/access/locale/zh-CN.json";
import catalog from "@/features/catalog/locale/zh-CN.json";
import collect from "@/features/collect/locale/zh-CN.json";
import connectors from "@/features/connectors/locale/zh-CN.json";
import lifecycle from "@/features/lifecycle/locale/zh-CN.json";
import profiles from "@/features/profiles/locale/zh-CN.json";
import reports from "@/features/reports/locale/zh-CN.json";
import segments from "@/features/segments/locale/zh-CN.json";
import shell from "@/shell/locale/zh-CN.json";

export { locale };
export default { names, shell, access, profiles, catalog, collect, connectors, lifecycle, segments, reports };
