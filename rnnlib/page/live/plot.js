// Lines, axes and numbers, as plot.py writes them.
const round = v => Math.floor(v * 10 + 0.5) / 10;
// Points as path data; one that is less than a unit from the one before is left out.
const line = points => {
  let x, y, d = '';
  points.forEach(([a, b], i) => {
    if (i && i < points.length - 1 && Math.max(Math.abs(a - x), Math.abs(b - y)) < 1) return;
    d += `${d ? 'L' : 'M'}${round(a)} ${round(b)}`;
    [x, y] = [a, b];
  });
  return d;
};
const axes = ({ box: [left, top, right, bottom], x: [x0, x1], y: [low, high], log }) => (x, y) => {
  if (log) y = Math.min(Math.max(y > 0 ? Math.log10(y) : low, low), high);
  return [left + (x - x0) / (x1 - x0) * (right - left), bottom - (y - low) / (high - low) * (bottom - top)];
};
// A map of numbers from 0 to 1, in shades.
const shades = (root, { left, top, wide, high, name, levels }) => rows => {
  const paths = Array.from({ length: levels + 1 }, () => '');
  rows.forEach((row, i) => row.forEach((value, j) => {
    paths[Math.floor(value * levels + 0.5)] += `M${round(left + j * wide)} ${round(top + i * high)}` +
      `h${round(wide)}v${round(high)}h-${round(wide)}z`;
  }));
  for (let k = 1; k <= levels; k++) root.querySelector(`.${name}${k}`).setAttribute('d', paths[k]);
};
const minus = text => text.replace('-', '−');
const short = v => {
  if (isNaN(v)) return 'no number';
  if (v === 0 || !isFinite(v)) return v === 0 ? '0' : '∞';
  const power = Math.floor(Math.log10(v));
  if (power > -4 && power < 4) return v.toFixed(Math.max(0, 1 - power));
  const [digits, exponent] = v.toExponential(1).split('e');
  return `${digits} · 10<sup>${minus(exponent.replace('+', ''))}</sup>`;
};
const hundredths = v => isNaN(v) ? 'no number' : +v.toFixed(2) ? minus(v.toFixed(2)) : '0.00';
