"use strict";
(() => {
  const PAGE = 100;
  const { head, rows } = JSON.parse(document.getElementById("data").textContent);
  const [ATT, SUF, FILE, CLASS, B, BS, A, AS, KIND, NAMES, CLIENT, SIZE, PROC] = rows.length ? rows[0].keys() : [];
  const words = head.words;
  const fill = (text, k, n) => text.replace("{k}", k.toLocaleString()).replace("{n}", n.toLocaleString());
  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
  const form = document.querySelector("form.filter");
  const table = document.getElementById("list");
  const body = table.tBodies[0];
  const id = (row) => head.attachments[row[ATT]] + head.suffixes[row[SUF]];
  // Texts are looked at in small letters, once each: a hundred thousand cases share few of them.
  const lower = (texts) => texts.map((text) => text.toLowerCase());
  const low = { attachments: lower(head.attachments), suffixes: lower(head.suffixes), files: lower(head.files) };

  const option = (select, value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    select.append(made);
  };
  const used = (column) => new Set(rows.map((row) => row[column]));
  const choices = (name, list, there) => list.forEach((text, at) => there.has(at) && option(form.elements[name], String(at), text));
  choices("class", head.classes.map((it) => it[0]), used(CLASS));
  choices("intent", words.intents, new Set(rows.map((row) => row[PROC] % 2)));
  choices("kind", head.kinds.map((it) => it[1]), used(KIND));
  choices("name", head.names.map((it) => it[1]), new Set(head.nameSets.flat()));
  choices("client", head.clients.map((it) => it || words.own), used(CLIENT));
  choices("size", head.sizes.map((it) => it || words.own), used(SIZE));
  choices("procedure", head.procedures, new Set(head.procedures.keys()));

  let shown = rows;
  let page = 0;
  let order = { key: "class", down: false };
  const by = {
    class: (row) => row[CLASS],
    id,
    file: (row) => head.files[row[FILE]],
    before: (row) => row[B] * 1000 + row[BS],
    after: (row) => row[A] * 1000 + row[AS],
    kind: (row) => row[KIND],
  };
  const sort = () => {
    const key = by[order.key];
    const sign = order.down ? -1 : 1;
    const keyed = shown.map((row) => [key(row), row]);
    keyed.sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : 0));
    shown = keyed.map((it) => it[1]);
  };
  const tag = ([text, [tone, symbol]], status) => {
    const made = document.createElement("span");
    made.className = "tag " + tone;
    const mark = document.createElement("span");
    mark.ariaHidden = "true";
    mark.textContent = symbol + " ";
    made.append(mark, text);
    return status ? [made, " " + status] : [made];
  };
  const cell = (line, ...content) => {
    const made = line.insertCell();
    made.append(...content);
    return made;
  };
  const isolated = (name, text) => {
    const made = document.createElement(name);
    const inner = document.createElement("bdi");
    inner.textContent = text;
    made.append(inner);
    return made;
  };
  const side = (outcome, status) => (outcome < 0 ? [words.notSent] : tag(head.outcomes[outcome], outcome ? status : 0));
  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(page, pages - 1);
    const lines = document.createDocumentFragment();
    for (const row of shown.slice(page * PAGE, (page + 1) * PAGE)) {
      const line = document.createElement("tr");
      cell(line, ...tag(head.classes[row[CLASS]], row[PROC] % 2 ? words.control : 0));
      cell(line, isolated("code", id(row)));
      cell(line, isolated("span", head.files[row[FILE]]));
      if (!head.single) cell(line, ...side(row[B], row[BS]));
      cell(line, ...side(row[A], row[AS]));
      cell(line, head.kinds[row[KIND]][1]);
      lines.append(line);
    }
    body.replaceChildren(lines);
    document.getElementById("count").textContent = shown.length ? fill(words.count, shown.length, rows.length) : words.none;
    document.getElementById("page").textContent = fill(words.page, page + 1, pages);
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page >= pages - 1;
    for (const th of table.querySelectorAll("th[data-sort]")) {
      const on = th.dataset.sort === order.key;
      if (on) th.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
      th.querySelector("span").textContent = on ? (order.down ? " ▼" : " ▲") : "";
    }
  };
  const apply = () => {
    const get = (name) => form.elements[name].value;
    const text = get("text").trim().toLowerCase();
    const number = (name) => (get(name) === "" ? -1 : Number(get(name)));
    const [cls, intent, kind, name, client, size, procedure] =
      ["class", "intent", "kind", "name", "client", "size", "procedure"].map(number);
    const inNames = name < 0 ? null : head.nameSets.map((set) => set.includes(name));
    const inProcedures = procedure < 0 ? null : head.procedureSets.map((set) => set.includes(procedure));
    // A text may stand across the two parts of an id; where it stands in one of them, the answer is known at once.
    const hits = (texts) => text && texts.map((it) => it.includes(text));
    const [inAttachment, inSuffix, inFile] = [hits(low.attachments), hits(low.suffixes), hits(low.files)];
    const across = text.includes("~");
    const matches = (row) =>
      inAttachment[row[ATT]] || inFile[row[FILE]] || inSuffix[row[SUF]] ||
      (across && (low.attachments[row[ATT]] + low.suffixes[row[SUF]]).includes(text));
    shown = rows.filter((row) =>
      (cls < 0 || row[CLASS] === cls) && (intent < 0 || row[PROC] % 2 === intent) && (kind < 0 || row[KIND] === kind) && (!inNames || inNames[row[NAMES]]) &&
      (client < 0 || row[CLIENT] === client) && (size < 0 || row[SIZE] === size) &&
      (!inProcedures || inProcedures[row[PROC] >> 1]) && (!text || matches(row)));
    page = 0;
    sort();
    draw();
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  table.tHead.addEventListener("click", (event) => {
    const th = event.target.closest("th[data-sort]");
    if (!th) return;
    order = { key: th.dataset.sort, down: order.key === th.dataset.sort && !order.down };
    sort();
    draw();
  });
  document.getElementById("previous").addEventListener("click", () => { page -= 1; draw(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; draw(); });

  for (const grid of document.querySelectorAll("[data-grid]")) {
    const list = grid.dataset.grid === "name" ? head.names.map((it) => it[0]) : head[grid.dataset.grid + "s"];
    for (const td of grid.querySelectorAll("td[data-kind]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...td.childNodes);
      td.append(button);
      button.addEventListener("click", () => {
        form.reset();
        form.elements.kind.value = String(head.kinds.findIndex((it) => it[0] === td.dataset.kind));
        form.elements.intent.value = "0";
        form.elements[grid.dataset.grid].value = String(list.indexOf(td.dataset.key));
        apply();
        document.getElementById("cases").scrollIntoView();
        form.elements.text.focus({ preventScroll: true });
      });
    }
  }
  apply();
})();
