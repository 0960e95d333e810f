// Files out of drops and pickers, folders within folders included.

const IGNORED = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

const { compare } = new Intl.Collator(undefined, { numeric: true });
const byPath = (one, other) => compare(one.path, other.path);

/** Whether something dragged over the page holds files. */
export const holdsFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));

/** What was dropped. Call it within the drop event: afterwards the browser has forgotten it. */
export function droppedBy(event) {
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return { entries, files: entries.length ? [] : picked(event.dataTransfer.files) };
}

/** Give `take` what was dropped in batches, as it is found: [{file, path, unreadable?}]. */
export async function findFiles({ entries, files }, take) {
  if (files.length) take(files);
  for (const entry of entries) await walk(entry, take);
}

/** The files of an `<input type="file">`. */
export function picked(files) {
  return [...files]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ path }) => !path.split("/").some((part) => IGNORED.test(part)))
    .sort(byPath);
}

async function walk(entry, take) {
  if (IGNORED.test(entry.name)) return;
  if (entry.isFile) return take([await opened(entry)]);
  const reader = entry.createReader();
  for (let batch = await read(reader); batch.length; batch = await read(reader)) {
    const files = batch.filter((child) => child.isFile && !IGNORED.test(child.name));
    take((await Promise.all(files.map(opened))).sort(byPath));
    for (const child of batch) if (child.isDirectory) await walk(child, take);
  }
}

/** A folder is read in batches, of a hundred in Chromium, until one is empty. */
const read = (reader) => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));

/** A file that cannot be opened still gets its line, with the reason. */
const opened = (entry) => new Promise((resolve) => {
  const path = entry.fullPath.replace(/^\//, "");
  entry.file(
    (file) => resolve({ file, path }),
    () => resolve({ file: new File([], entry.name), path, unreadable: true }),
  );
});
