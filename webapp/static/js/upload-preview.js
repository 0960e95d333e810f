// Small previews of the files in view, decoded one at a time so that sending stays quick.

const SIDE_PX = 96;
const WAIT_MS = 150; // rows that scroll by are not worth decoding
const SHOWN_TYPES = /^image\/(jpeg|png|webp|gif|avif|bmp)$/;
const LARGEST_BYTES = 30 << 20;

let last = Promise.resolve();

export function showPreview(canvas, file) {
  if (!SHOWN_TYPES.test(file.type) || file.size > LARGEST_BYTES) return;
  setTimeout(() => { last = last.then(() => canvas.isConnected && draw(canvas, file)); }, WAIT_MS);
}

async function draw(canvas, file) {
  try {
    const bitmap = await createImageBitmap(file, { resizeHeight: SIDE_PX, resizeQuality: "low" });
    canvas.width = canvas.height = SIDE_PX;
    canvas.getContext("2d").drawImage(bitmap, (SIDE_PX - bitmap.width) / 2, 0);
    bitmap.close();
  } catch { /* the browser cannot show it; the server decides whether we can */ }
}
