/// <reference lib="dom" />

/** Pixels of a PNG per CSS pixel. */
const SHARPNESS = 2;

/** Lets the reader save a file. */
export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A drawing as a file of its own. */
export function svgText(svg: SVGElement): string {
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(svg);
}

/** A drawing as an image. @throws Error when the browser cannot paint it */
export async function pngOf(svg: SVGElement): Promise<Blob> {
  const image = new Image();
  // not a blob: a canvas that has painted one of a page from file:// gives nothing away
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(svg))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SHARPNESS * image.naturalWidth;
  canvas.height = SHARPNESS * image.naturalHeight;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser paints no images");
  context.scale(SHARPNESS, SHARPNESS);
  context.drawImage(image, 0, 0);
  return await new Promise((resolve, reject) =>
    canvas.toBlob((blob) => blob ? resolve(blob) : reject(new Error("no image was made")))
  );
}
