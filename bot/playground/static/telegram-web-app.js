/**
 * Stands in for telegram.org/js/telegram-web-app.js in the playground: the parts of window.Telegram.WebApp that a Mini
 * App may use, at Bot API 8.0. It exchanges JSON strings {eventType, eventData} with the parent page by postMessage, as in
 * Telegram's web clients.
 */
(() => {
  'use strict';
  const VERSION = '8.0';
  const STORE = '__telegram__initParams'; // survives a reload without the URL's fragment

  const launch = readLaunch();
  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();

  function readLaunch() {
    const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    try {
      const known = JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
      const params = { ...known, ...given };
      sessionStorage.setItem(STORE, JSON.stringify(params));
      return params;
    } catch {
      return given;
    }
  }

  /** @param {string} eventType @param {object} [eventData] */
  function post(eventType, eventData = {}) {
    if (window.parent !== window) window.parent.postMessage(JSON.stringify({ eventType, eventData }), '*');
  }

  /** @param {string} name @param {any} [data] */
  function emit(name, data) {
    for (const listener of listeners.get(name) ?? []) listener.call(WebApp, data);
  }

  /** @param {string} name @param {string} value */
  const css = (name, value) => document.documentElement.style.setProperty(name, value);

  /** @param {string} text @returns {any} */
  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return {};
    }
  }

  function parseInitData() {
    /** @type {Record<string, any>} */
    const fields = {};
    for (const [key, value] of new URLSearchParams(WebApp.initData)) {
      fields[key] = /^[{[]/.test(value) ? parse(value) : value;
    }
    return fields;
  }

  /** @param {string} colour #rrggbb */
  function isDark(colour) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    return Math.sqrt(0.299 * red * red + 0.587 * green * green + 0.114 * blue * blue) < 120;
  }

  /** @param {Record<string, string>} theme */
  function setTheme(theme) {
    Object.assign(WebApp.themeParams, theme);
    for (const [name, colour] of Object.entries(theme)) css(`--tg-theme-${name.replace(/_/g, '-')}`, colour);
    if (/^#[0-9a-f]{6}$/i.test(theme.bg_color ?? '')) WebApp.colorScheme = isDark(theme.bg_color) ? 'dark' : 'light';
    css('--tg-color-scheme', WebApp.colorScheme);
  }

  /**
   * @param {'safeAreaInset' | 'contentSafeAreaInset'} which
   * @param {Record<string, number>} inset
   */
  function setInset(which, inset) {
    const prefix = which === 'safeAreaInset' ? '--tg-safe-area-inset' : '--tg-content-safe-area-inset';
    for (const side of ['top', 'bottom', 'left', 'right']) {
      WebApp[which][/** @type {'top'} */ (side)] = Number(inset[side] ?? 0);
      css(`${prefix}-${side}`, `${Number(inset[side] ?? 0)}px`);
    }
  }

  /** @param {{height?: number, is_state_stable?: boolean, is_expanded?: boolean}} data */
  function setViewport({ height, is_state_stable: stable = true, is_expanded: expanded }) {
    if (expanded !== undefined) WebApp.isExpanded = expanded;
    WebApp.viewportHeight = height ?? window.innerHeight;
    css('--tg-viewport-height', `${WebApp.viewportHeight}px`);
    if (stable) WebApp.viewportStableHeight = WebApp.viewportHeight;
    if (stable) css('--tg-viewport-stable-height', `${WebApp.viewportStableHeight}px`);
  }

  /** MainButton and SecondaryButton. */
  class BottomButton {
    text = '';
    isVisible = false;
    isActive = true;
    isProgressVisible = false;
    hasShineEffect = false;
    position = 'left';
    /** @type {string | undefined} */ color;
    /** @type {string | undefined} */ textColor;

    /** @param {'main' | 'secondary'} type */
    constructor(type) {
      this.type = type;
      this.event = `${type}ButtonClicked`;
      this.text = type === 'main' ? 'Continue' : 'Cancel';
    }

    /** @param {Record<string, any>} params */
    setParams(params) {
      if (params.text !== undefined && !String(params.text).trim()) throw Error('WebAppBottomButtonParamInvalid');
      if (String(params.text ?? '').length > 64) throw Error('WebAppBottomButtonParamInvalid');
      const names = {
        text: 'text',
        color: 'color',
        text_color: 'textColor',
        is_visible: 'isVisible',
        is_active: 'isActive',
        has_shine_effect: 'hasShineEffect',
        position: 'position',
      };
      for (const [from, to] of Object.entries(names)) if (from in params) Object.assign(this, { [to]: params[from] });
      return this.update();
    }

    update() {
      const theme = WebApp.themeParams;
      const main = this.type === 'main';
      post(`web_app_setup_${this.type}_button`, {
        is_visible: this.isVisible && Boolean(this.text),
        is_active: this.isActive,
        is_progress_visible: this.isProgressVisible,
        text: this.text,
        color: this.color ?? (main ? theme.button_color : theme.bottom_bar_bg_color ?? theme.bg_color) ?? '#2481cc',
        text_color: this.textColor ?? (main ? theme.button_text_color : theme.button_color) ?? '#ffffff',
        has_shine_effect: this.hasShineEffect,
        ...(main ? {} : { position: this.position }),
      });
      return this;
    }

    /** @param {string} text */
    setText(text) {
      return this.setParams({ text });
    }
    show() {
      return this.setParams({ is_visible: true });
    }
    hide() {
      return this.setParams({ is_visible: false });
    }
    enable() {
      return this.setParams({ is_active: true });
    }
    disable() {
      return this.setParams({ is_active: false });
    }
    /** @param {boolean} [leaveActive] */
    showProgress(leaveActive = false) {
      this.isActive = leaveActive;
      this.isProgressVisible = true;
      return this.update();
    }
    hideProgress() {
      this.isActive = true;
      this.isProgressVisible = false;
      return this.update();
    }
    /** @param {Function} pressed */
    onClick(pressed) {
      WebApp.onEvent(this.event, pressed);
      return this;
    }
    /** @param {Function} pressed */
    offClick(pressed) {
      WebApp.offEvent(this.event, pressed);
      return this;
    }
  }

  const BackButton = {
    isVisible: false,
    /** @param {boolean} visible */
    set(visible) {
      BackButton.isVisible = visible;
      post('web_app_setup_back_button', { is_visible: visible });
      return BackButton;
    },
    show: () => BackButton.set(true),
    hide: () => BackButton.set(false),
    /** @param {Function} pressed */
    onClick: (pressed) => (WebApp.onEvent('backButtonClicked', pressed), BackButton),
    /** @param {Function} pressed */
    offClick: (pressed) => (WebApp.offEvent('backButtonClicked', pressed), BackButton),
  };

  const HapticFeedback = {
    /** @param {object} data */
    play: (data) => (post('web_app_trigger_haptic_feedback', data), HapticFeedback),
    /** @param {string} style */
    impactOccurred: (style) => HapticFeedback.play({ type: 'impact', impact_style: style }),
    /** @param {string} kind */
    notificationOccurred: (kind) => HapticFeedback.play({ type: 'notification', notification_type: kind }),
    selectionChanged: () => HapticFeedback.play({ type: 'selection_change' }),
  };

  /** @type {((id: string) => void) | null} */
  let popupClosed = null;

  /**
   * @param {{title?: string, message: string, buttons?: {id?: string, type?: string, text?: string}[]}} params
   * @param {(id: string) => void} [callback]
   */
  function showPopup({ title = '', message, buttons = [{ type: 'close' }] }, callback) {
    if (popupClosed) throw Error('WebAppPopupOpened');
    if (!message || message.length > 256 || buttons.length < 1 || buttons.length > 3) {
      throw Error('WebAppPopupParamInvalid');
    }
    popupClosed = callback ?? (() => {});
    const full = buttons.map(({ id = '', type = 'default', text }) => ({ id, type, ...(text ? { text } : {}) }));
    post('web_app_open_popup', { title, message, buttons: full });
  }

  /** @param {boolean} needed */
  function setClosing(needed) {
    WebApp.isClosingConfirmationEnabled = needed;
    post('web_app_setup_closing_behavior', { need_confirmation: needed });
  }

  /** @param {boolean} allowed */
  function setSwipes(allowed) {
    WebApp.isVerticalSwipesEnabled = allowed;
    post('web_app_setup_swipe_behavior', { allow_vertical_swipe: allowed });
  }

  /** A theme key or a colour. @param {string} event @param {string} colour */
  function setColour(event, colour) {
    post(event, colour.startsWith('#') ? { color: colour } : { color_key: colour, color: WebApp.themeParams[colour] });
  }

  const WebApp = {
    initData: launch.tgWebAppData ?? '',
    /** @type {Record<string, any>} */ initDataUnsafe: {},
    version: launch.tgWebAppVersion ?? VERSION,
    platform: launch.tgWebAppPlatform ?? (window.parent === window ? 'unknown' : 'weba'),
    colorScheme: 'light',
    /** @type {Record<string, string>} */ themeParams: {},
    isExpanded: true,
    isActive: true,
    isFullscreen: false,
    isClosingConfirmationEnabled: false,
    isVerticalSwipesEnabled: true,
    viewportHeight: window.innerHeight,
    viewportStableHeight: window.innerHeight,
    safeAreaInset: { top: 0, bottom: 0, left: 0, right: 0 },
    contentSafeAreaInset: { top: 0, bottom: 0, left: 0, right: 0 },
    MainButton: new BottomButton('main'),
    SecondaryButton: new BottomButton('secondary'),
    BackButton,
    HapticFeedback,
    /** @param {string} wanted */
    isVersionAtLeast(wanted) {
      const [have, want] = [WebApp.version, wanted].map((version) => version.split('.').map(Number));
      for (let at = 0; at < Math.max(have.length, want.length); at++) {
        if ((have[at] ?? 0) !== (want[at] ?? 0)) return (have[at] ?? 0) > (want[at] ?? 0);
      }
      return true;
    },
    /** @param {string} name @param {Function} listener */
    onEvent(name, listener) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name)?.add(listener);
    },
    /** @param {string} name @param {Function} listener */
    offEvent: (name, listener) => void listeners.get(name)?.delete(listener),
    ready: () => post('web_app_ready'),
    expand: () => post('web_app_expand'),
    close: () => post('web_app_close'),
    enableClosingConfirmation: () => setClosing(true),
    disableClosingConfirmation: () => setClosing(false),
    enableVerticalSwipes: () => setSwipes(true),
    disableVerticalSwipes: () => setSwipes(false),
    requestFullscreen: () => post('web_app_request_fullscreen'),
    exitFullscreen: () => post('web_app_exit_fullscreen'),
    /** @param {string} colour */
    setHeaderColor: (colour) => setColour('web_app_set_header_color', colour),
    /** @param {string} colour */
    setBackgroundColor: (colour) => setColour('web_app_set_background_color', colour),
    /** @param {string} colour */
    setBottomBarColor: (colour) => setColour('web_app_set_bottom_bar_color', colour),
    showPopup,
    /** @param {string} message @param {() => void} [callback] */
    showAlert: (message, callback) => showPopup({ message }, () => callback?.()),
    /** @param {string} message @param {(agreed: boolean) => void} [callback] */
    showConfirm(message, callback) {
      const buttons = [{ type: 'ok', id: 'ok' }, { type: 'cancel' }];
      showPopup({ message, buttons }, (id) => callback?.(id === 'ok'));
    },
    /** @param {string} url */
    openLink: (url) => post('web_app_open_link', { url: new URL(url, location.href).href }),
  };
  WebApp.initDataUnsafe = parseInitData();

  /** Handlers of the events that Telegram sends. @type {Record<string, (data: any) => void>} */
  const received = {
    theme_changed({ theme_params: theme }) {
      setTheme(theme ?? {});
      emit('themeChanged');
      for (const button of [WebApp.MainButton, WebApp.SecondaryButton]) if (button.isVisible) button.update();
    },
    viewport_changed(data) {
      setViewport(data);
      emit('viewportChanged', { isStateStable: data.is_state_stable ?? true });
    },
    safe_area_changed(inset) {
      setInset('safeAreaInset', inset);
      emit('safeAreaChanged');
    },
    content_safe_area_changed(inset) {
      setInset('contentSafeAreaInset', inset);
      emit('contentSafeAreaChanged');
    },
    main_button_pressed: () => WebApp.MainButton.isActive && emit('mainButtonClicked'),
    secondary_button_pressed: () => WebApp.SecondaryButton.isActive && emit('secondaryButtonClicked'),
    back_button_pressed: () => emit('backButtonClicked'),
    popup_closed({ button_id: id = null } = {}) {
      const callback = popupClosed;
      popupClosed = null;
      callback?.(id);
      emit('popupClosed', { button_id: id });
    },
    fullscreen_changed({ is_fullscreen: on }) {
      WebApp.isFullscreen = Boolean(on);
      emit('fullscreenChanged');
    },
    fullscreen_failed: (data) => emit('fullscreenFailed', data),
    visibility_changed({ is_visible: visible }) {
      WebApp.isActive = Boolean(visible);
      emit(visible ? 'activated' : 'deactivated');
    },
  };

  window.addEventListener('message', (event) => {
    if (event.source !== window.parent) return;
    const { eventType, eventData } = typeof event.data === 'string' ? parse(event.data) : event.data ?? {};
    received[eventType]?.(eventData ?? {});
  });
  window.addEventListener('resize', () => setViewport({}));

  setTheme(parse(launch.tgWebAppThemeParams ?? '{}'));
  setViewport({});
  setInset('safeAreaInset', {});
  setInset('contentSafeAreaInset', {});
  Object.assign(window, { Telegram: { WebApp } });
  if (window.parent !== window) {
    post('iframe_ready', { reload_supported: true });
    for (const what of ['theme', 'viewport', 'safe_area', 'content_safe_area']) post(`web_app_request_${what}`);
  }
})();
