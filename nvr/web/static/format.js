// Figures as people read them; the same as core/units.py.

export const UNKNOWN = "unknown";

export function bytes(count) {
  if (count === null || count === undefined) return UNKNOWN;
  let size = count;
  for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
    if (Math.abs(size) < 1000) return unit === "B" ? `${size.toFixed(0)} B` : `${size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return `${size.toFixed(1)} PB`;
}

export const rate = (bits) => (bits < 1e6 ? `${(bits / 1e3).toFixed(0)} kbit/s` : `${(bits / 1e6).toFixed(1)} Mbit/s`);

export function seconds(span) {
  if (span === null || span === undefined) return UNKNOWN;
  const whole = Math.max(0, Math.round(span));
  const [d, hh, m, s] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  if (d) return `${d} d ${two(hh)} h`;
  if (hh) return `${hh} h ${two(m)} min`;
  return m ? `${m} min ${two(s)} s` : `${s} s`;
}

// Never 100 % before it is.
export const percent = (value) => `${(value < 100 ? Math.min(value, 99.9) : 100).toFixed(1)} %`;

export function time(at) {
  if (at === null || at === undefined) return UNKNOWN;
  const moment = new Date(at * 1000);
  const two = (value) => String(value).padStart(2, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
}

// RAID0 over spans is RAID00 (raid/model.py, level_text).
export const raid = (level, spans = 0) => (level || !spans ? `RAID${level}` : "RAID00");
