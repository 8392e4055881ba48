/** When a day begins on the brand's clock. Pure. */

/** The moment at which a day begins in a zone, some days later; of a clock that jumps over midnight, the jump. */
export function midnight(day: string, later: number, zone: string): string {
  const wanted = Date.parse(`${day}T00:00:00Z`) + later * 86_400_000;
  // The zone's distance at the moment that would be midnight without one, and again at the moment that this gives.
  const guess = wanted - distance(wanted, zone);
  return new Date(wanted - distance(guess, zone)).toISOString();
}

/** How far the zone's clock is ahead of UTC at a moment, in milliseconds. */
function distance(moment: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(moment);
  const value = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const clock = Date.UTC(
    value("year"),
    value("month") - 1,
    value("day"),
    value("hour"),
    value("minute"),
    value("second"),
  );
  return clock - Math.floor(moment / 1000) * 1000;
}

/** The day of a moment on the clock of a zone, as 2026-01-31. */
export function dayOfMoment(moment: string, zone: string): string {
  const clock = Date.parse(moment);
  return new Date(clock + distance(clock, zone)).toISOString().slice(0, 10);
}
