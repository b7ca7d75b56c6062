/** How large a preview must be: no larger than the screen can show. */

const SIDES = [768, 1152, 1536, 2048]; // px; what the server offers
const AROUND = { x: 16, y: 150 }; // CSS px that margins, header and tools take at least

/**
 * The long side of the preview for a photo on the stage.
 * @param {Size} photo
 * @param {number} scale CSS px per photo pixel.
 */
export function sideFor(photo, scale) {
  const needed = Math.max(photo.width, photo.height) * scale * (devicePixelRatio || 1);
  return SIDES.find((side) => side >= needed) ?? SIDES[SIDES.length - 1];
}

/** The same before there is a stage. @param {Size} photo */
export const sideOnOpening = (photo) =>
  sideFor(
    photo,
    Math.min((innerWidth - AROUND.x) / photo.width, Math.max(AROUND.y, innerHeight - AROUND.y) / photo.height),
  );
