// What every live figure does in the page; `figure` is the script of its own.
const open = (root, { controls, data }) => {
  root.dataset.ready = '';
  const find = selector => root.querySelector(selector), image = find('img'), line = find('.caption');
  image.insertAdjacentHTML('afterend', controls);
  image.outerHTML = decodeURIComponent(image.getAttribute('src').replace(/^[^,]*,/, ''));
  const svg = find('svg');
  svg.removeAttribute('style');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', image.getAttribute('alt'));
  line.insertAdjacentHTML('afterend', '<p class="spoken" aria-live="polite"></p>');
  new ResizeObserver(() => {  // however small the picture becomes, its letters can be read
    const least = 11 * svg.viewBox.baseVal.width / svg.clientWidth;
    for (const letter of svg.querySelectorAll('[font-size]'))
      letter.style.fontSize = `${Math.max(letter.getAttribute('font-size'), least)}px`;
  }).observe(svg);
  const inputs = [...root.querySelectorAll('[name]')], draw = figure(root, data);
  const chosen = input => input.type === 'checkbox' ? +input.checked :
    input.dataset.stops ? input.dataset.stops.split(' ')[input.value] : input.value;
  let said, pause;
  // A screen reader hears the line when the reader pauses, and not as the figure opens.
  const say = html => {
    if (html === said) return;
    line.innerHTML = html;
    clearTimeout(pause);
    if (said !== undefined) pause = setTimeout(() => {
      find('.spoken').innerHTML = html.replace(/<sup>(.*?)<\/sup>/g, ' to the power $1');
    }, 600);
    said = html;
  };
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
    say(draw(settings));
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
