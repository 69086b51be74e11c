/** What `forebay check` says of one place: a Redis server, Postgres, the clocks. */
import type { Finding } from '../../connection/finding.js';

export interface Report {
  /** E.g. `Redis at localhost:6379`; never with a password. */
  readonly place: string;
  /** Undefined when it could not be asked. */
  readonly version?: string | undefined;
  readonly findings: readonly Finding[];
}

/** Of all reports; `fatal` is an error to whoever reads it. */
export function isError({ severity }: Finding): boolean {
  return severity !== 'warning';
}

export function reportText(reports: readonly Report[]): string {
  const findings = reports.flatMap((report) => report.findings);
  const errors = findings.filter(isError).length;
  return [
    ...reports.map(placeText),
    findings.some(({ mend }) => mend.line.startsWith('CONFIG SET'))
      ? 'What CONFIG SET changes is lost when Redis starts again: CONFIG REWRITE keeps it.\n'
      : '',
    `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}\n`,
  ].join('');
}

export function reportJson(reports: readonly Report[]): string {
  const findings = reports.flatMap(({ place, findings }) =>
    findings.map((finding) => ({
      ...finding,
      severity: isError(finding) ? 'error' : 'warning',
      place,
    })),
  );
  const places = reports.map(({ place, version }) => ({ place, version: version ?? null }));
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return `${JSON.stringify({ errors, warnings: findings.length - errors, places, findings }, null, 2)}\n`;
}

function placeText({ place, version, findings }: Report): string {
  const head = `${place}${version ? `, version ${version}` : ''}${findings.length === 0 ? ': as it should be' : ''}\n`;
  return head + findings.map(findingText).join('');
}

function findingText(finding: Finding): string {
  const { code, what, consequence, mend } = finding;
  return [
    `  ${isError(finding) ? 'ERROR  ' : 'warning'} ${code}`,
    `          ${what}: ${consequence}`,
    `          ${mend.at}> ${mend.line}`,
    '',
  ].join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
