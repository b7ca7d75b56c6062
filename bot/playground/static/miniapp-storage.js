/** A Mini App's CloudStorage and DeviceStorage, stored in this browser. */

import { has } from './dom.js';

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
 * Answer a storage request.
 * @param {string} kind the request's eventType; other requests are ignored
 * @param {any} data
 * @param {(event: string, data: object) => void} postEvent
 */
export function answerStorage(kind, data, postEvent) {
  const { req_id } = data;
  if (kind === 'web_app_invoke_custom_method') {
    const method = has(METHODS, data.method) ? METHODS[data.method] : null;
    postEvent(
      'custom_method_invoked',
      method ? { req_id, result: method(data.params) } : { req_id, error: 'METHOD_INVALID' },
    );
  } else if (kind === 'web_app_device_storage_save_key') {
    localStorage.setItem(`${PREFIX}device ${data.key}`, String(data.value));
    postEvent('device_storage_key_saved', { req_id });
  } else if (kind === 'web_app_device_storage_get_key') {
    postEvent('device_storage_key_received', { req_id, value: localStorage.getItem(`${PREFIX}device ${data.key}`) });
  }
}
