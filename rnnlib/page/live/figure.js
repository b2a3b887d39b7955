// What every live figure does in the page; `figure` is the script of its own.
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
const open = (root, { title, controls, data }) => {
  root.dataset.ready = '';
  const find = selector => root.querySelector(selector), image = find('img');
  image.insertAdjacentHTML('afterend', controls);
  image.outerHTML = decodeURIComponent(image.getAttribute('src').replace(/^[^,]*,/, ''));
  const svg = find('svg');
  svg.removeAttribute('style');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title);
  const inputs = [...root.querySelectorAll('[name]')], draw = figure(root, data);
  const chosen = input => input.dataset.stops ? input.dataset.stops.split(' ')[input.value] : input.value;
  const show = () => {
    const settings = {};
    for (const input of inputs) {
      const text = chosen(input), value = text === 'none' ? Infinity : +text;
      settings[input.name] = isNaN(value) ? text : value;
      if (!input.dataset.stops) continue;
      input.setAttribute('aria-valuetext', text);
      input.parentNode.querySelector('output').textContent = text;
    }
    for (const button of root.querySelectorAll('[data-by]')) {
      const input = find(`[name=${button.dataset.of}]`), end = button.dataset.by < 0 ? 'min' : 'max';
      button.setAttribute('aria-disabled', input.value === input[end]);
    }
    find('.caption').innerHTML = draw(settings);
  };
  root.addEventListener('input', show);
  root.addEventListener('click', event => {
    const { by, of } = event.target.dataset;
    if (!by) return;
    find(`[name=${of}]`).value -= -by;
    show();
  });
  show();
};
