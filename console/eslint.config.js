import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Imports run down, as in the house: app > reports > connectors > segments > lifecycle > collect > catalog > profiles > access > shell > platform > base.
const floors = [
  "src/base",
  "src/platform",
  "src/shell",
  "src/features/access",
  "src/features/profiles",
  "src/features/catalog",
  "src/features/collect",
  "src/features/lifecycle",
  "src/features/segments",
  "src/features/connectors",
  "src/features/reports",
  "src/app",
];

export default tseslint.config(
  { ignores: ["node_modules", "src/platform/schema.ts", "eslint.config.js"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  hooks.configs.flat["recommended-latest"],
  a11y.flatConfigs.strict,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Handlers of events may be asynchronous; what they throw is shown by the query client.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      // What the reader has just asked for begins where they go on: the field that their own click opened.
      "jsx-a11y/no-autofocus": "off",
      "no-console": "error",
    },
  },
  ...floors.slice(0, -1).map((floor, height) => ({
    files: [`${floor}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: floors.slice(height + 1).map((above) => `${above.replace("src/", "@/")}/**`),
              message: "Imports run down the floors.",
            },
          ],
        },
      ],
    },
  })),
);
