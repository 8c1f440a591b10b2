/** What can be chosen by name. One that the address names is among them, also where nobody is called so any more. */
export const targetChoices = (names: readonly string[], chosen: string): { value: string; label: string }[] =>
  [...new Set([...(chosen === "" || chosen === "*" ? [] : [chosen]), ...names])].map((name) => ({
    value: name,
    label: name,
  }));
