/** The page's colours as a Mini App's theme. */

/** Telegram's name of each colour, and the page's CSS variable. @type {Record<string, string>} */
const COLOURS = {
  bg_color: '--bg',
  secondary_bg_color: '--bg-2',
  header_bg_color: '--bg',
  bottom_bar_bg_color: '--bg',
  section_bg_color: '--bg',
  section_separator_color: '--line',
  text_color: '--text',
  subtitle_text_color: '--hint',
  hint_color: '--hint',
  section_header_text_color: '--link',
  accent_text_color: '--link',
  link_color: '--link',
  button_color: '--accent',
  button_text_color: '--accent-text',
  destructive_text_color: '--danger',
};

/** @returns {Record<string, string>} `theme_params`, each #rrggbb */
export function themeParams() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(Object.entries(COLOURS).map(([name, own]) => [name, style.getPropertyValue(own).trim()]));
}

/** Call the listener when the system switches between light and dark. @param {() => void} listener */
export const onThemeChange = (listener) =>
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listener);

/** A Mini App's colour, or '' if it is not #rrggbb. @param {unknown} value */
export const safeColour = (value) => (typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : '');

/**
 * Black or white, whichever has more contrast with the colour (WCAG 2 relative luminance).
 * @param {string} colour #rrggbb
 */
export function textOn(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.36 ? '#000000' : '#ffffff';
}
