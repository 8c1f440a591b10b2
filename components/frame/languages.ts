/** What the dashboard speaks. */
export const languages = [
  { locale: "en", name: "English" },
  { locale: "zh-CN", name: "简体中文" },
] as const;
