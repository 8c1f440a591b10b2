/** The same functions, whose failures become what `fail` throws; what is no function stays as it is. */
export function failingAs<T extends object>(fail: (error: unknown) => never, functions: T): T {
  const wrapped = Object.entries(functions).map(([name, value]) => [
    name,
    typeof value === "function" ? (...args: unknown[]) => Promise.resolve(value(...args)).catch(fail) : value,
  ]);
  return Object.fromEntries(wrapped) as T;
}
