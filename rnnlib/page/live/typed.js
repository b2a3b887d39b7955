// What a reader has typed, as typed.py shows it again.
const shown = symbol => ({ ' ': '␣', '\n': '↵' })[symbol] ?? symbol;
const escaped = text => text.replace(/[&<>]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const code = symbol => `U+${symbol.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
// What cannot be seen alone is named by its code points; letters of any direction stay in their place.
const quoted = text => ({ ' ': 'a space', '\n': 'the end of the line' })[text] ??
  (/^[\p{C}\p{M}\p{Z}]+$/u.test(text) ? [...text].map(code).join(' ') : `“<bdi>${escaped(text)}</bdi>”`);
const listed = symbols => symbols.slice(0, 5).map(quoted).join(', ') +
  (symbols.length > 5 ? ` and ${symbols.length - 5} more` : '');
const percent = p => `${p > 0 && p < 0.005 ? 'below 1' : Math.floor(100 * p + 0.5)}\u00a0%`;
// A text whose symbols stand each at a place of its own.
const place = (element, text, x, y) => {
  element.textContent = [...text].map(shown).join('');
  element.setAttribute('x', [...text].map((_, k) => round(x(k))).join(' '));
  element.setAttribute('y', [...text].map((_, k) => round(y(k))).join(' '));
};
