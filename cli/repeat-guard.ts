/**
 * Says whether something may be said: the first time, and again after `afterUs`. Remembers at most `remembersMax` things; when they are more, the
 * oldest is forgotten and may be said again.
 */
export function createRepeatGuard(
  nowUs: () => number,
  afterUs: number,
  remembersMax: number,
): (what: string) => boolean {
  const saidAtUs = new Map<string, number>();
  return (what) => {
    const now = nowUs();
    const last = saidAtUs.get(what);
    if (last !== undefined && now - last < afterUs) return false;
    saidAtUs.delete(what);
    saidAtUs.set(what, now);
    const [oldest] = saidAtUs.keys();
    if (saidAtUs.size > remembersMax && oldest !== undefined) saidAtUs.delete(oldest);
    return true;
  };
}
