/** Every text of the page, in English and Chinese. */

const EN = {
  brush: 'Brush',
  eraser: 'Eraser',
  lasso: 'Lasso',
  rect: 'Rectangle',
  select: 'Tap to select',
  invert: 'Swap painted and unpainted',
  clear: 'Clear',
  undo: 'Undo',
  redo: 'Redo',
  undoRound: 'Undo round',
  compare: 'See the original',
  'eraser-does': 'The eraser takes paint away',
  'lasso-does': 'Draw a line around it',
  'rect-does': 'Drag a frame over it',
  'brush-does': 'Paint over it',
  fit: 'Show the whole photo',
  fullscreen: 'Full screen',
  size: 'Brush size',
  tools: 'Tools',
  photo: 'The photo. Paint over what should go.',
  keys: 'Arrow keys move, Space paints, Enter erases',
  erase: 'Erase',
  cancel: 'Cancel',
  done: 'Done',
  paint: 'Paint over what should go',
  tap: 'Tap what should go',
  refine: 'Tap to add or take away',
  selecting: 'Looking…',
  notSelected: 'Nothing found there. Try the brush.',
  opening: 'Opening the photo…',
  original: 'Original',
  sending: 'Sending…',
  waiting: 'Starting…',
  queued: 'In line: {position} before yours',
  fetching: 'Getting the photo…',
  segmenting: 'Looking at the photo…',
  inpainting: 'Filling the gap…',
  delivering: 'Almost done…',
  finished: 'Erased. Paint on, or Done.',
  undone: 'Round undone',
  cancelled: 'Stopped. Nothing was changed.',
  failed: 'That didn’t work. Please try again.',
  offline: 'No connection. What you painted is kept: try again.',
  'mask-empty': 'Nothing is painted yet. Paint over what should go.',
  'mask-everything': 'Everything is painted over: something must stay.',
  gone: 'This photo is no longer here. Send it to the bot again.',
  expired: 'Telegram’s sign-in for this page has run out. Send the photo to the bot again.',
  outside: 'Open this from Telegram: send the bot a photo with /erase, then press the button under its answer.',
  closeHint: 'You can close this page; the photo is in the chat.',
  again: 'Try again',
};

/** @type {Record<keyof typeof EN, string>} */
const ZH = {
  brush: '画笔',
  eraser: '橡皮',
  lasso: '套索',
  rect: '矩形',
  select: '点选物体',
  invert: '反选',
  clear: '清空',
  undo: '撤销',
  redo: '重做',
  undoRound: '撤销这一轮',
  compare: '看原图',
  'eraser-does': '橡皮可擦掉涂抹',
  'lasso-does': '沿边缘圈出来',
  'rect-does': '拖出一个框盖住它',
  'brush-does': '涂抹它',
  fit: '显示整张照片',
  fullscreen: '全屏',
  size: '画笔大小',
  tools: '工具',
  photo: '照片。涂抹要消除的地方。',
  keys: '方向键移动，空格键涂抹，回车键消除',
  erase: '消除',
  cancel: '取消',
  done: '完成',
  paint: '涂抹要消除的地方',
  tap: '点一下要消除的物体',
  refine: '再点一下可添加或去掉',
  selecting: '正在识别…',
  notSelected: '这里没有识别到物体，请用画笔。',
  opening: '正在打开照片…',
  original: '原图',
  sending: '正在上传…',
  waiting: '马上开始…',
  queued: '排队中：前面还有 {position} 张',
  fetching: '正在获取照片…',
  segmenting: '正在识别照片…',
  inpainting: '正在补全画面…',
  delivering: '快好了…',
  finished: '已消除。可以继续涂抹，或点“完成”。',
  undone: '已回到这一轮之前',
  cancelled: '已取消，没有做任何改动。',
  failed: '没有成功，请再试一次。',
  offline: '没有网络。你的涂抹已保留，请再试一次。',
  'mask-empty': '还没有涂抹。请涂抹要消除的地方。',
  'mask-everything': '整张都涂满了，总要留下一些。',
  gone: '这张照片已经不在了，请重新发给机器人。',
  expired: 'Telegram 对此页面的登录已失效，请把照片重新发给机器人。',
  outside: '请在 Telegram 里打开：给机器人发一张照片并附上 /erase，再点回复下面的按钮。',
  closeHint: '你可以关闭此页面，照片已在聊天里。',
  again: '再试一次',
};

/** Texts that differ while a cut-out is corrected: there the painted area stays. */
const EN_CUTOUT = {
  brush: 'Brush: this stays',
  eraser: 'Eraser: this goes',
  invert: 'Swap what stays and what goes',
  clear: 'Let everything go',
  photo: 'The photo. What is pink goes, the rest stays.',
  keys: 'Arrow keys move, Space paints, Enter cuts out',
  erase: 'Cut out',
  paint: 'Pink goes. Paint back what is missing.',
  tap: 'Tap what should stay',
  inpainting: 'Cutting it out…',
  finished: 'Tap to correct, or Done.',
  'eraser-does': 'What you rub out goes',
  'lasso-does': 'Draw around what should stay',
  'rect-does': 'Drag a frame over what should stay',
  'brush-does': 'Paint back what should stay',
  'mask-empty': 'Nothing stays yet. Paint over what should stay.',
  'mask-everything': 'Everything stays: something must go.',
};

/** @type {Record<keyof typeof EN_CUTOUT, string>} */
const ZH_CUTOUT = {
  brush: '画笔：保留',
  eraser: '橡皮：去掉',
  invert: '对调保留和去掉的部分',
  clear: '全部去掉',
  photo: '照片。粉色部分会去掉，其余会保留。',
  keys: '方向键移动，空格键涂抹，回车键抠图',
  erase: '抠图',
  paint: '粉色部分会去掉。涂回缺少的地方。',
  tap: '点一下要保留的物体',
  inpainting: '正在抠图…',
  finished: '点一下可继续修正，或点“完成”。',
  'eraser-does': '擦掉的部分会去掉',
  'lasso-does': '圈出要保留的部分',
  'rect-does': '框住要保留的部分',
  'brush-does': '涂回要保留的部分',
  'mask-empty': '还没有要保留的。请涂抹要保留的地方。',
  'mask-everything': '整张都保留了，总要去掉一些。',
};

/** @typedef {keyof typeof EN} Key */
let words = EN;

/**
 * Set the page's language.
 * @param {string | undefined} code A language code such as zh-hans.
 * @param {boolean} [isCutout] Whether a cut-out is corrected.
 */
export function setLanguage(code, isCutout) {
  const chinese = (code ?? '').toLowerCase().startsWith('zh');
  words = { ...(chinese ? ZH : EN), ...(isCutout && (chinese ? ZH_CUTOUT : EN_CUTOUT)) };
  document.documentElement.lang = chinese ? 'zh' : 'en';
  document.title = words.erase;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-text]'))) {
    element.textContent = say(/** @type {Key} */ (element.dataset.text));
  }
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-label]'))) {
    const label = say(/** @type {Key} */ (element.dataset.label));
    element.setAttribute('aria-label', label);
    if (element.tagName === 'BUTTON') element.title = label;
  }
}

/**
 * The text of a key.
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** @returns {code is Key} @param {string} code */
export function isKey(code) {
  return code in EN;
}

/** An error that can be explained to the user. */
export class PageError extends Error {
  /**
   * @param {string} code A key of the texts, or the server's error code.
   * @param {string} [text] The server's text for the user.
   * @param {number} [status] HTTP status; 0: none.
   */
  constructor(code, text, status = 0) {
    super(text || code);
    this.code = code;
    this.text = text;
    this.status = status;
  }
}

/** What to tell the user about an error. */
export function explain(/** @type {unknown} */ error) {
  if (!(error instanceof PageError)) {
    // deno-lint-ignore no-console
    console.error(error);
    return say('failed');
  }
  if (error.status === 401) return say('expired');
  if (error.status === 404) return say('gone');
  return error.text || say(isKey(error.code) ? error.code : 'failed');
}
