/** @module A time as text, computed from the time alone. Pure. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../units.ts";

const EPOCH_YEAR_NUMBER = 1970;
/** No year is longer, so a count of these never passes the year of a time after 1970. */
const LEAP_YEAR_MS = 366 * DAY_MS;

/** The minute of a time from 1970 on, in UTC: `2026-11-27 09:05`. */
export function minuteText(atMs: number): string {
  let year = EPOCH_YEAR_NUMBER + Math.floor(atMs / LEAP_YEAR_MS);
  while (Date.UTC(year + 1) <= atMs) year += 1;
  let month = 0;
  while (Date.UTC(year, month + 1) <= atMs) month += 1;
  const inMonthMs = atMs - Date.UTC(year, month);
  const day = Math.floor(inMonthMs / DAY_MS) + 1;
  const hours = Math.floor((inMonthMs % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((inMonthMs % HOUR_MS) / MINUTE_MS);
  return `${year}-${twoDigits(month + 1)}-${twoDigits(day)} ${twoDigits(hours)}:${twoDigits(minutes)}`;
}

function twoDigits(count: number): string {
  return String(count).padStart("00".length, "0");
}
