// What a reader has typed, as typed.py shows it again.
const shown = symbol => ({ ' ': '␣', '\n': '↵' })[symbol] ?? symbol;
const escaped = text => text.replace(/[&<>]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const quoted = symbol => ({ ' ': 'a space', '\n': 'the end of the line' })[symbol] ?? `“${escaped(symbol)}”`;
const percent = p => `${p > 0 && p < 0.005 ? 'below 1' : Math.floor(100 * p + 0.5)}\u00a0%`;
