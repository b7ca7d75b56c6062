/** What a Mini App keeps with Telegram (CloudStorage, DeviceStorage): here in this browser. */

const PREFIX = 'miniapp ';

const keys = () =>
  Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));

/** @type {Record<string, (params: any) => unknown>} */
const METHODS = {
  saveStorageValue({ key, value }) {
    localStorage.setItem(PREFIX + key, value);
    return true;
  },
  getStorageValues: (params) =>
    Object.fromEntries(params.keys.map((/** @type {string} */ key) => [key, localStorage.getItem(PREFIX + key) ?? ''])),
  deleteStorageValues(params) {
    for (const key of params.keys) localStorage.removeItem(PREFIX + key);
    return true;
  },
  getStorageKeys: keys,
};

/**
 * @param {string} kind the request's eventType; others than those of storage are not for us
 * @param {any} data
 * @param {(event: string, data: object) => void} tell
 */
export function answerStorage(kind, data, tell) {
  const { req_id } = data;
  if (kind === 'web_app_invoke_custom_method') {
    const method = Object.hasOwn(METHODS, data.method) ? METHODS[data.method] : null;
    tell(
      'custom_method_invoked',
      method ? { req_id, result: method(data.params) } : { req_id, error: 'METHOD_INVALID' },
    );
  } else if (kind === 'web_app_device_storage_save_key') {
    localStorage.setItem(`${PREFIX}device ${data.key}`, String(data.value));
    tell('device_storage_key_saved', { req_id });
  } else if (kind === 'web_app_device_storage_get_key') {
    tell('device_storage_key_received', { req_id, value: localStorage.getItem(`${PREFIX}device ${data.key}`) });
  }
}
