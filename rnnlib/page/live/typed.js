// What a reader has typed, as typed.py shows it again.
const shown = symbol => ({ ' ': '␣', '\n': '↵' })[symbol] ?? symbol;
const escaped = text => text.replace(/[&<>]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const quoted = symbol => ({ ' ': 'a space', '\n': 'the end of the line' })[symbol] ?? `“${escaped(symbol)}”`;
const percent = p => `${p > 0 && p < 0.005 ? 'below 1' : Math.floor(100 * p + 0.5)}\u00a0%`;
// A text whose symbols stand each at a place of its own.
const place = (element, text, x, y) => {
  element.textContent = [...text].map(shown).join('');
  element.setAttribute('x', [...text].map((_, k) => round(x(k))).join(' '));
  element.setAttribute('y', [...text].map((_, k) => round(y(k))).join(' '));
};
