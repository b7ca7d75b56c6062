/** Every text of the page, in English and Chinese. */

const EN = {
  about_playground: 'Playground: a stand-in for Telegram',
  album: 'Album',
  as_file: 'Send as file, without compression',
  as_file_instead: 'Send as file',
  attach: 'Attach',
  attach_file: 'File',
  attach_photo: 'Photo',
  attach_sample: 'Sample picture',
  attach_sticker: 'Sticker',
  back: 'Back',
  bot: 'bot',
  cancel: 'Cancel',
  cancel_reply: 'Cancel reply',
  caption: 'Add a caption…',
  chat: 'Chat with {name}',
  chinese: '中文',
  clear: 'Clear chat',
  clear_question: 'Empty this chat? The bot keeps what it knows.',
  close: 'Close',
  close_anyway: 'Close anyway',
  closing_question: 'Changes that you made may not be saved.',
  commands: 'Commands',
  connecting: 'connecting…',
  copied: 'Copied',
  copy: 'Copy text',
  document: 'File',
  empty_file: 'This file is empty.',
  download: 'Download',
  drop_file: 'Drop here to send as a file',
  drop_file_hint: 'without compression, at full resolution',
  drop_photo: 'Drop here to send as a photo',
  drop_photo_hint: 'smaller and quicker',
  edited: 'edited',
  english: 'English',
  failed: 'It was not sent.',
  german: 'Deutsch',
  german_hint: 'a language that the bot does not setLanguage',
  greeting: 'Nothing here yet',
  greeting_text: 'Press Start, or send a photo: drop one anywhere, paste it, or choose one of the samples below.',
  language: 'Language',
  loading: 'Loading…',
  menu: 'Menu',
  message_from: '{name}, {time}',
  new_messages: 'To the newest message',
  no_button: 'This button is no longer there.',
  not_a_picture: 'This cannot be read as a picture. It can be sent as a file.',
  odd_shape: 'The sides of this picture are too long or too unequal for a photo. It can be sent as a file.',
  no_answer: 'The bot did not answer.',
  not_loaded: 'The picture could not be loaded.',
  offline: 'No connection to the playground. What you wrote is kept.',
  ok: 'OK',
  open: 'Open',
  paid: 'Paid: ⭐ {stars}',
  pay: 'Pay ⭐ {stars}',
  photo: 'Photo',
  placeholder: 'Message',
  remove: 'Remove {name}',
  playground: 'Playground',
  reaction: 'Reaction of {name}: {emoji}',
  refunded: 'Given back: ⭐ {stars}',
  reply: 'Reply',
  reply_to: 'Reply to {name}',
  samples: 'Try one of these',
  send: 'Send',
  send_one_file: 'Send a file',
  send_one_photo: 'Send a photo',
  send_many_files: 'Send {n} files',
  send_many_photos: 'Send {n} photos',
  start: 'Start',
  sticker: 'Sticker',
  today: 'Today',
  too_large: 'This file is too large.',
  too_large_photo: 'This is too large for a photo. It can be sent as a file.',
  too_long: 'This is too long: {n} characters more than are allowed.',
  too_many: 'At most {n} at a time: the others were left out.',
  typing: 'typing',
  unknown: 'This message cannot be shown here.',
  uploading_file: 'uploading a file',
  uploading_photo: 'uploading a photo',
  yesterday: 'Yesterday',
  you: 'You',
};

/** @type {typeof EN} */
const ZH = {
  about_playground: '演练场：模拟的 Telegram',
  album: '相册',
  as_file: '以文件形式发送（不压缩）',
  as_file_instead: '以文件发送',
  attach: '附件',
  attach_file: '文件',
  attach_photo: '照片',
  attach_sample: '示例图片',
  attach_sticker: '贴纸',
  back: '返回',
  bot: '机器人',
  cancel: '取消',
  cancel_reply: '取消回复',
  caption: '添加说明…',
  chat: '与 {name} 的聊天',
  chinese: '中文',
  clear: '清空聊天',
  clear_question: '要清空聊天吗？机器人仍会保留它已有的信息。',
  close: '关闭',
  close_anyway: '仍要关闭',
  closing_question: '所做的更改可能不会保存。',
  commands: '命令',
  connecting: '连接中…',
  copied: '已复制',
  copy: '复制文字',
  document: '文件',
  empty_file: '文件是空的。',
  download: '下载',
  drop_file: '拖到此处以文件发送',
  drop_file_hint: '不压缩，保留原始分辨率',
  drop_photo: '拖到此处以照片发送',
  drop_photo_hint: '体积更小，发送更快',
  edited: '已编辑',
  english: 'English',
  failed: '未能发送。',
  german: 'Deutsch',
  german_hint: '机器人不会说的语言',
  greeting: '这里还没有消息',
  greeting_text: '点“开始”，或发送一张照片：拖到页面任意位置、粘贴，或选择下面的示例。',
  language: '语言',
  loading: '加载中…',
  menu: '菜单',
  message_from: '{name}，{time}',
  new_messages: '跳到最新消息',
  no_button: '这个按钮已不存在。',
  not_a_picture: '无法识别为图片，可以改为以文件发送。',
  odd_shape: '图片的边长过大或比例过于悬殊，无法作为照片发送，可以改为以文件发送。',
  no_answer: '机器人没有回应。',
  not_loaded: '图片无法加载。',
  offline: '与演练场的连接已断开。你输入的内容已保留。',
  ok: '好',
  open: '打开',
  paid: '已付：⭐ {stars}',
  pay: '支付 ⭐ {stars}',
  photo: '照片',
  placeholder: '消息',
  remove: '移除 {name}',
  playground: '演练场',
  reaction: '{name} 的回应：{emoji}',
  refunded: '已退回：⭐ {stars}',
  reply: '回复',
  reply_to: '回复 {name}',
  samples: '试试这些图片',
  send: '发送',
  send_one_file: '发送文件',
  send_one_photo: '发送照片',
  send_many_files: '发送 {n} 个文件',
  send_many_photos: '发送 {n} 张照片',
  start: '开始',
  sticker: '贴纸',
  today: '今天',
  too_large: '文件太大。',
  too_large_photo: '作为照片太大了，可以改为以文件发送。',
  too_long: '内容过长：超出 {n} 个字符。',
  too_many: '一次最多 {n} 个，其余的未加入。',
  typing: '正在输入',
  unknown: '此处无法显示这条消息。',
  uploading_file: '正在发送文件',
  uploading_photo: '正在发送照片',
  yesterday: '昨天',
  you: '你',
};

/** @typedef {keyof typeof EN} Key */

let words = EN;
let locale = 'en';

/**
 * Set the page's language: Chinese for any `zh…`, else English.
 * @param {string} code an IETF tag as in the Bot API's `language_code`
 */
export function setLanguage(code) {
  const chinese = code.toLowerCase().startsWith('zh');
  words = chinese ? ZH : EN;
  locale = chinese ? 'zh-CN' : 'en-GB';
  document.documentElement.lang = chinese ? 'zh-Hans' : 'en';
  translate(document.body);
}

/** The locale for dates and numbers. */
export const currentLocale = () => locale;

/**
 * The text of a key.
 * @param {Key} key
 * @param {Record<string, string | number>} [values] the values of the placeholders
 */
export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Fill in the texts of index.html: data-t is the text, data-t-label the accessible name, data-t-placeholder the
 * placeholder.
 * @param {HTMLElement} root
 */
export function translate(root) {
  const key = (/** @type {string | undefined} */ name) => /** @type {Key} */ (name);
  for (const node of root.querySelectorAll('[data-t]')) {
    if (node instanceof HTMLElement) node.textContent = t(key(node.dataset.t));
  }
  for (const node of root.querySelectorAll('[data-t-label]')) {
    if (!(node instanceof HTMLElement)) continue;
    node.setAttribute('aria-label', t(key(node.dataset.tLabel)));
    if (node instanceof HTMLButtonElement) node.title = t(key(node.dataset.tLabel));
  }
  for (const node of root.querySelectorAll('[data-t-placeholder]')) {
    if (node instanceof HTMLElement) node.setAttribute('placeholder', t(key(node.dataset.tPlaceholder)));
  }
}
