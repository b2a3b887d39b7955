// Parts of the drawing appear at their moment; at each moment there is something to say.
const figure = (root, captions) => {
  const parts = [...root.querySelectorAll('[data-at]')];
  return ({ step }) => {
    for (const { dataset } of parts) {
      dataset.state = ['done', 'now', 'todo'][1 + Math.sign(dataset.at - step)];
    }
    return captions[step];
  };
};
