/**
 * Telegram's client around the page: user, theme, buttons. Its script comes from telegram.org, which some networks
 * block, so initData and theme are read from the URL's fragment; the buttons follow when the script has loaded.
 */

const SCRIPT_TIMEOUT = 3000; // ms, then the page shows its own button

const HEX = /^#[0-9a-f]{6}$/i;

const launch = new URLSearchParams(location.hash.slice(1));

/** @returns {any} */
const webApp = () => /** @type {any} */ (window).Telegram?.WebApp;

/** @param {string} version */
const since = (version) => Boolean(webApp()?.isVersionAtLeast?.(version));

/** The signed data about the user; '' outside Telegram. */
export const initData = () => webApp()?.initData || launch.get('tgWebAppData') || '';

/** The user's language code. */
export function language() {
  try {
    const user = JSON.parse(new URLSearchParams(initData()).get('user') ?? '{}');
    return user.language_code ?? navigator.language;
  } catch {
    return navigator.language;
  }
}

/** @returns {string | null} The edit's id: from the page's link, or from a t.me link's startapp. */
export function editId() {
  const query = new URLSearchParams(location.search);
  return query.get('edit') ?? new URLSearchParams(initData()).get('start_param') ?? query.get('tgWebAppStartParam');
}

/** Apply the theme of the URL, so that the first frame has the right colours. */
export function applyLaunchTheme() {
  try {
    const theme = JSON.parse(launch.get('tgWebAppThemeParams') ?? '{}');
    for (const [name, colour] of Object.entries(theme)) {
      document.documentElement.style.setProperty(`--tg-theme-${name.replaceAll('_', '-')}`, String(colour));
    }
    markScheme(theme.bg_color);
  } catch {
    // no theme: the page uses its own colours
  }
}

/** Set dark or light, for what the theme has no variable for. @param {string | undefined} background #rrggbb */
function markScheme(background) {
  if (!HEX.test(background ?? '')) return;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(/** @type {string} */ (background).slice(at, at + 2), 16));
  document.documentElement.dataset.scheme = red * 0.299 + green * 0.587 + blue * 0.114 < 128 ? 'dark' : 'light';
}

/**
 * Wait for Telegram's script and set up the client.
 * @param {() => void} onTheme Called when the theme has changed.
 * @returns {Promise<boolean>} Whether there is a MainButton.
 */
export async function setUp(onTheme) {
  const script = document.getElementById('telegram-script');
  if (!webApp() && script && !script.dataset.failed) {
    await new Promise((done) => {
      script.addEventListener('load', done);
      script.addEventListener('error', done);
      setTimeout(done, SCRIPT_TIMEOUT);
    });
  }
  const app = webApp();
  if (!app?.initData) return false;
  app.ready();
  app.expand();
  markScheme(app.themeParams?.bg_color);
  app.onEvent('themeChanged', () => {
    markScheme(app.themeParams?.bg_color);
    onTheme();
  });
  if (since('6.1')) {
    app.setHeaderColor?.('secondary_bg_color');
    app.setBackgroundColor?.('secondary_bg_color');
  }
  if (since('7.10')) app.setBottomBarColor?.('secondary_bg_color');
  if (since('7.7')) app.disableVerticalSwipes();
  return Boolean(app.MainButton);
}

/**
 * @param {any} button
 * @param {ButtonState} state
 */
function update(button, { text, visible, active, progress = false }) {
  if (!button) return;
  const colours = button === webApp()?.MainButton ? mainColours(active || progress) : {};
  const state = JSON.stringify([text, visible, active, progress, colours]);
  if (shown.get(button) === state) return;
  shown.set(button, state);
  // Progress comes first: it changes whether the button is active.
  if (progress !== button.isProgressVisible) progress ? button.showProgress(active) : button.hideProgress();
  button.setParams({ text, is_visible: visible, is_active: active, ...colours });
}

/** Telegram draws a disabled button like any other, so it gets paler colours. @param {boolean} active */
function mainColours(active) {
  const { button_color: button, button_text_color: text, bg_color: background } = webApp().themeParams ?? {};
  if (![button, text, background].every((colour) => HEX.test(colour ?? ''))) return {};
  return { color: active ? button : mix(button, background), text_color: text };
}

/** @param {string} colour #rrggbb @param {string} other @returns {string} Half of each. */
function mix(colour, other) {
  const part = (/** @type {string} */ of, /** @type {number} */ at) => parseInt(of.slice(at, at + 2), 16);
  const half = (/** @type {number} */ at) => (part(colour, at) + part(other, at)) >> 1;
  return `#${[1, 3, 5].map((at) => half(at).toString(16).padStart(2, '0')).join('')}`;
}

/** @type {WeakMap<object, string>} Each button's last state: every update is a message to Telegram's app. */
const shown = new WeakMap();

/** Telegram's MainButton. */
export const mainButton = {
  /** @param {ButtonState} state */
  set: (state) => update(webApp()?.MainButton, state),
  /** @param {() => void} pressed */
  onPress: (pressed) => webApp()?.MainButton?.onClick(pressed),
};

/** Telegram's SecondaryButton. */
export const secondaryButton = {
  get exists() {
    return since('7.10') && Boolean(webApp()?.SecondaryButton);
  },
  /** @param {ButtonState} state */
  set: (state) => secondaryButton.exists && update(webApp().SecondaryButton, state),
  /** @param {() => void} pressed */
  onPress: (pressed) => secondaryButton.exists && webApp().SecondaryButton.onClick(pressed),
};

/** Full screen; Telegram's BackButton leaves it. */
export const fullscreen = {
  get offered() {
    return since('8.0') && Boolean(webApp()?.requestFullscreen);
  },
  watch() {
    const app = webApp();
    if (!since('8.0')) return;
    app.onEvent('fullscreenChanged', () => (app.isFullscreen ? app.BackButton.show() : app.BackButton.hide()));
    app.BackButton.onClick(() => app.exitFullscreen());
  },
  toggle() {
    const app = webApp();
    app.isFullscreen ? app.exitFullscreen() : app.requestFullscreen();
  },
};

/** Vibrate. @param {'light' | 'medium' | 'select' | 'success' | 'warning' | 'error'} kind */
export function haptic(kind) {
  if (!since('6.1')) return;
  const feedback = webApp().HapticFeedback;
  if (kind === 'select') feedback?.selectionChanged();
  else if (kind === 'light' || kind === 'medium') feedback?.impactOccurred(kind);
  else feedback?.notificationOccurred(kind);
}

/** Let Telegram ask before it closes the page. @param {boolean} needed */
export function confirmClosing(needed) {
  if (!since('6.2') || webApp().isClosingConfirmationEnabled === needed) return;
  needed ? webApp().enableClosingConfirmation() : webApp().disableClosingConfirmation();
}

/** Close the page. @returns {boolean} False outside Telegram. */
export function close() {
  webApp()?.initData && webApp().close();
  return Boolean(webApp()?.initData);
}
