import { button } from "./dom";
import { readPreference, writePreference } from "./preferences";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const LABELS: Readonly<Record<Theme, string>> = {
  auto: "Auto",
  light: "Light",
  dark: "Dark",
};

function isTheme(value: string | null): value is Theme {
  return value !== null && (THEMES as readonly string[]).includes(value);
}

/** The button that goes round auto, light and dark; applies the choice that was made before. */
export function themeButton(): HTMLButtonElement {
  const stored = readPreference("theme");
  let theme: Theme = isTheme(stored) ? stored : "auto";
  const toggle = button("", "button quiet theme-toggle", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    writePreference("theme", theme);
    apply();
  });
  const apply = () => {
    document.documentElement.dataset["theme"] = theme;
    toggle.textContent = LABELS[theme];
    toggle.setAttribute("aria-label", `Colours: ${theme}`);
    toggle.title = "Colours: as the system has them, light, or dark";
  };
  apply();
  return toggle;
}
