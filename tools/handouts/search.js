// Search over search-index.js: every word must occur in a section; matches in a heading come first.
(() => {
  const form = document.querySelector("form.search");
  const input = form.querySelector("input");
  const list = form.querySelector("ul");
  const shown = 12;
  const around = 60; // characters before and behind the first match

  const find = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    return searchIndex
      .map((section) => {
        const heading = section.heading.toLowerCase();
        const all = `${heading} ${section.text.toLowerCase()}`;
        if (!words.every((word) => all.includes(word))) return null;
        return {section, rank: words.filter((word) => heading.includes(word)).length, word: words[0]};
      })
      .filter(Boolean)
      .sort((a, b) => b.rank - a.rank)
      .slice(0, shown);
  };

  const entry = ({section, word}) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = section.page + (section.anchor ? `#${section.anchor}` : "");
    link.textContent = section.heading === section.chapter ? section.chapter : `${section.chapter}: ${section.heading}`;
    const at = Math.max(section.text.toLowerCase().indexOf(word), 0);
    const excerpt = document.createElement("small");
    excerpt.textContent = section.text.slice(Math.max(at - around, 0), at + around);
    item.append(link, excerpt);
    return item;
  };

  const show = () => {
    const found = find(input.value);
    const nothing = document.createElement("li");
    nothing.textContent = list.dataset.nothing;
    list.replaceChildren(...(found.length > 0 ? found.map(entry) : [nothing]));
    list.hidden = input.value.trim() === "";
  };

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      show();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
})();
