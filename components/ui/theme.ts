import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";
import tip from "./tip.module.css";

const lagoon: MantineColorsTuple = [
  "#e3faf7",
  "#c9f2ec",
  "#9be6dc",
  "#6bdacd",
  "#4fd0c2",
  "#37c8ba",
  "#1fa99c",
  "#0b8f84",
  "#0a7d73",
  "#04544d",
];

/** Mantine's own greys, so that menus, inputs and overlays lie on the same surfaces as everything else. */
const dark: MantineColorsTuple = [
  "#e4eef0",
  "#c2d0d4",
  "#9db2b9",
  "#7b939c",
  "#2a3c44",
  "#203037",
  "#131d22",
  "#0c1417",
  "#090f12",
  "#060a0c",
];
const gray: MantineColorsTuple = [
  "#f2f6f7",
  "#e9f0f1",
  "#dfe8ea",
  "#d5e1e4",
  "#c6d4d8",
  "#8fa5ac",
  "#627b83",
  "#47626b",
  "#2c444c",
  "#0d2228",
];

const surface = {
  content: { background: "var(--panel)", border: "1px solid var(--line)" },
  header: { background: "none" },
};

/** Mantine's title line of a dialog is a `header`, which would be a second one of the whole page. */
const noBanner = { header: { role: "none" } };

/** Mantine's parts in Limpid's language: the tokens of tokens.css decide, Mantine follows. */
export const theme = createTheme({
  primaryColor: "lagoon",
  primaryShade: { light: 7, dark: 5 },
  colors: { lagoon, dark, gray },
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  headings: { fontFamily: "var(--font)", fontWeight: "600" },
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "4px", sm: "6px", md: "8px", lg: "10px", xl: "13px" },
  defaultRadius: "sm",
  shadows: { md: "var(--shadow)", lg: "var(--shadow)", xl: "var(--shadow)" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: {
      defaultProps: { size: "compact-md", variant: "default" },
      styles: { root: { "--button-height": "32px", paddingInline: 14, fontSize: 13, fontWeight: 500 } },
      // Mantine writes white on every filled button; on the dark scheme's bright accent nobody can read it.
      vars: (_theme: unknown, { variant, color }: { variant?: string; color?: string }) => ({
        root: variant === "filled" && color === undefined ? { "--button-color": "var(--accent-ink)" } : {},
      }),
    },
    Modal: {
      defaultProps: {
        attributes: noBanner,
        transitionProps: { duration: 140 },
        overlayProps: { backgroundOpacity: 0.5 },
      },
      styles: surface,
    },
    Drawer: {
      defaultProps: {
        attributes: noBanner,
        transitionProps: { duration: 160 },
        overlayProps: { backgroundOpacity: 0.5 },
      },
      styles: surface,
    },
    ModalRoot: { defaultProps: { transitionProps: { duration: 140 } }, styles: surface },
    ModalOverlay: { defaultProps: { backgroundOpacity: 0.5 } },
    DrawerRoot: { defaultProps: { transitionProps: { duration: 160 } }, styles: surface },
    DrawerOverlay: { defaultProps: { backgroundOpacity: 0.5 } },
    Tooltip: {
      defaultProps: { openDelay: 250, transitionProps: { duration: 120 } },
      classNames: { tooltip: tip.tip ?? "" },
    },
    // Its first item has the focus, where Mantine puts it on an element that no menu may have.
    Menu: {
      defaultProps: {
        transitionProps: { duration: 120 },
        shadow: "md",
        withInitialFocusPlaceholder: false,
        // What stands at the end of the document is in no landmark.
        portalProps: { target: "#main" },
      },
    },
    Popover: { defaultProps: { transitionProps: { duration: 120 }, shadow: "md" } },
  },
});

const shared = {
  "--mantine-color-body": "var(--bg)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-bright": "var(--ink)",
  "--mantine-color-dimmed": "var(--ink-2)",
  "--mantine-color-placeholder": "var(--ink-3)",
  "--mantine-color-anchor": "var(--accent)",
  "--mantine-color-default": "var(--raised)",
  "--mantine-color-default-hover": "var(--line-soft)",
  "--mantine-color-default-color": "var(--ink)",
  "--mantine-color-default-border": "var(--line)",
  "--mantine-color-error": "var(--bad)",
  "--mantine-primary-color-filled": "var(--accent)",
  "--mantine-primary-color-filled-hover": "var(--accent-hover)",
  "--mantine-primary-color-contrast": "var(--accent-ink)",
  "--mantine-primary-color-light": "var(--accent-soft)",
  "--mantine-primary-color-light-color": "var(--accent)",
  "--mantine-color-lagoon-filled": "var(--accent)",
  "--mantine-color-lagoon-filled-hover": "var(--accent-hover)",
  "--mantine-color-lagoon-light": "var(--accent-soft)",
  "--mantine-color-lagoon-light-color": "var(--accent)",
};

export const cssVariablesResolver: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
