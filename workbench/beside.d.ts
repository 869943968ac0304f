// What the build puts beside the page, for the type checker.

declare module "*/reseal/browser.mjs" {
  export * from "reseal/browser";
}

declare module "*/errors.mjs" {
  export const WHAT_TO_DO: Readonly<Record<string, string>>;
}

/** Papa Parse, as far as the page uses it. */
declare const Papa: {
  parse(
    text: string,
    options: { preview: number; skipEmptyLines: boolean },
  ): { meta: { delimiter: string; linebreak: string } };
  Parser: new (options: { delimiter: string; newline: string }) => {
    parse(
      text: string,
      baseIndex: number,
      ignoreLastRow: boolean,
    ): {
      data: string[][];
      errors: { row?: number | undefined }[];
      meta: { cursor: number };
    };
  };
};
