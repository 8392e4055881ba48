/** A chart as a picture to keep. */
export type Picture = "svg" | "png";

/** As sharp as a good screen shows it. */
const SCALE = 2;

/** A drawing as points, for programs that know no drawings. */
export async function pngOf(svg: string, width: number, height: number): Promise<string> {
  const image = new Image(width, height);
  image.src = svg;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}
