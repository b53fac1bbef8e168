/**
 * The names of all series that a page of Prometheus text has or would have: also of those without a value
 * yet.
 */
export function metricsIn(page: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const ends = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const end of ends) names.add(name + end);
  }
  return names;
}

/** The names of metrics in an expression. */
export function metricsOf(expression: string): string[] {
  return [...expression.replaceAll(/"[^"]*"/g, '').matchAll(/\b(?:mintwarden|process|nodejs)_\w+/g)].map(
    ([name]) => name,
  );
}
