/** All that the console says in English. */
import locale from "antd/locale/en_US";

import names from "@/base/locale/en.json";
import access from "@/features/access/locale/en.json";
import catalog from "@/features/catalog/locale/en.json";
import collect from "@/features/collect/locale/en.json";
import connectors from "@/features/connectors/locale/en.json";
import lifecycle from "@/features/lifecycle/locale/en.json";
import profiles from "@/features/profiles/locale/en.json";
import reports from "@/features/reports/locale/en.json";
import segments from "@/features/segments/locale/en.json";
import shell from "@/shell/locale/en.json";

export { locale };
export default { names, shell, access, profiles, catalog, collect, connectors, lifecycle, segments, reports };
