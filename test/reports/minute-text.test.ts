/** @module The text of a minute, compared with the calendar of the platform. */
import { expect, test } from "vitest";
import { minuteText } from "../../runtime/reports/minute-text.ts";

const asCalendar = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace("T", " ");

test("the text of a minute is that of the calendar, on each day of 400 years and at its borders", () => {
  for (let day = 0; day < 400 * 366; day += 1) {
    const atMs = day * 86_400_000;
    for (const near of [atMs, atMs + 59_999, atMs + 86_399_999])
      if (minuteText(near) !== asCalendar(near)) expect(minuteText(near)).toBe(asCalendar(near));
  }
  expect(minuteText(Date.UTC(2028, 1, 29, 23, 59, 59, 999))).toBe("2028-02-29 23:59");
});
