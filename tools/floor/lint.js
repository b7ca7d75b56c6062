/**
 * A plugin of Deno's linter: what the browsers of the floor do not know (features.json, made from MDN's data).
 *
 * A use that looks for the feature first is allowed: `thing.feature?.()`, and a name whose `typeof` the file tests.
 * In scripts named old.js, which browsers of any age read, everything newer than ECMAScript 5 is refused.
 */

import features from './features.json' with { type: 'json' };

const OLD = /(^|[/\\])old\.js$/;

/** Syntax above the floor. */
const NEW_SYNTAX = {
  StaticBlock: 'static blocks: Safari 16.4, Chrome 94',
  'BinaryExpression[operator="in"] > PrivateIdentifier': '#name in object: Chrome 91',
  ImportAttribute: 'import attributes: Safari 17.2, Chrome 123',
};
const REGEXES = [
  [/\(\?<[=!]/, 'lookbehind in a regular expression: Safari 16.4'],
  [/\(\?[ims-]+:/, 'modifiers in a regular expression: Safari 26, Chrome 125'],
];
const FLAGS = { v: 'the flag v of a regular expression: Safari 17, Chrome 112' };

/** Syntax newer than ECMAScript 5. */
const AFTER_ES5 = [
  'ArrowFunctionExpression',
  'AwaitExpression',
  'ChainExpression',
  'ClassDeclaration',
  'ForOfStatement',
  'ImportDeclaration',
  'ObjectPattern',
  'ArrayPattern',
  'AssignmentPattern',
  'RestElement',
  'SpreadElement',
  'TemplateLiteral',
  'YieldExpression',
  'FunctionDeclaration[async=true]',
  'LogicalExpression[operator="??"]',
  'Property[shorthand=true]',
  'Property[computed=true]',
  'Property[method=true]',
  'VariableDeclaration[kind="let"]',
  'VariableDeclaration[kind="const"]',
];

/** Names that the pages give to things of their own, or that are Telegram's. */
const OWN = [
  'changed',
  'escape',
  'exitFullscreen',
  'isActive',
  'messages',
  'requestFullscreen',
  'resize',
  'symbols',
  'touched',
];
/** Provided where the browser has none: playground/static/modal.js. */
const PROVIDED = ['showModal'];

/** @param {object} names @param {string} name @returns {string | undefined} */
const lookUp = (names, name) => Object.hasOwn(names, name) ? names[name] : undefined;

/** Whether an identifier is a name of its own here: a property, a declaration, the label of something. */
function isOwnName(node) {
  const { parent } = node;
  return (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
    (parent.type === 'Property' && parent.key === node && !parent.computed) ||
    ['MethodDefinition', 'PropertyDefinition', 'LabeledStatement', 'ImportSpecifier', 'ExportSpecifier']
      .includes(parent.type) ||
    (parent.type === 'FunctionDeclaration' || parent.type === 'FunctionExpression') ||
    (parent.type === 'VariableDeclarator' && parent.id === node);
}

const above = {
  create(context) {
    const text = context.sourceCode.text;
    const tested = (/** @type {string} */ name) =>
      new RegExp(`typeof (\\w+\\.)*${name}\\b|['"]${name}['"] in \\w`).test(text);
    const report = (node, message) => context.report({ node, message: `above the floor: ${message}` });
    const visitor = {
      Identifier(node) {
        const late = lookUp(features.globals, node.name);
        if (!late || isOwnName(node) || tested(node.name)) return;
        if (node.parent.type === 'UnaryExpression' && node.parent.operator === 'typeof') return;
        if (new RegExp(`(const|let|class|function|import[^;]*)\\s[^;=(]*\\b${node.name}\\b`).test(text)) return;
        report(node, `${node.name}: ${late}`);
      },
      MemberExpression(node) {
        if (node.computed || node.property.type !== 'Identifier') return;
        const { name } = node.property;
        const object = node.object.type === 'Identifier' ? node.object.name : '';
        const late = lookUp(features.statics, `${object}.${name}`) ?? lookUp(features.members, name);
        if (!late || [...OWN, ...PROVIDED].includes(name) || tested(name)) return;
        const isCalled = node.parent.type === 'CallExpression' && node.parent.callee === node;
        if (isCalled ? node.parent.optional : name === 'at') return;
        report(node, `${object && lookUp(features.statics, `${object}.${name}`) ? `${object}.` : '.'}${name}: ${late}`);
      },
      Literal(node) {
        if (!node.regex) return;
        for (const [pattern, message] of REGEXES) if (pattern.test(node.regex.pattern)) report(node, message);
        if (node.regex.flags.includes('v')) report(node, FLAGS.v);
      },
    };
    for (const [selector, message] of Object.entries(NEW_SYNTAX)) visitor[selector] = (node) => report(node, message);
    if (OLD.test(context.filename)) {
      for (const selector of AFTER_ES5) {
        visitor[selector] = (node) =>
          report(node, `${selector} is newer than ECMAScript 5, in a script for any browser`);
      }
    }
    return visitor;
  },
};

export default { name: 'floor', rules: { above } };
