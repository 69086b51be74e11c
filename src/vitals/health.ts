/**
 * Whether a process is alive and ready. *Ready*: it is started, and what it needs answers. *Alive*: it does
 * what is due. What is due is judged only while all that is needed answers: a restart mends no database.
 */
import { inTime } from '../connection/deadline.js';
import { messageOf } from '../errors.js';

/** What came of one look. */
export interface CheckResult {
  /** What was looked at: `started`, `redis`, `queue redis`, `database`, `lanes`, … */
  readonly name: string;
  /** Whether it is as it should be. */
  readonly ok: boolean;
  /** What is wrong. */
  readonly reason?: string;
}

/** The answer to "is it alive?" or "is it ready?". */
export interface HealthReport {
  /** Whether all checks are. */
  readonly ok: boolean;
  /** What was looked at. */
  readonly checks: readonly CheckResult[];
}

/** What can be asked of a role or an app. It never throws, and takes about 2 s at most. */
export interface Health {
  /** Whether it does what is due; else the reason. */
  live(): Promise<HealthReport>;
  /** Whether it is started, and what it needs answers; else the reason. */
  ready(): Promise<HealthReport>;
}

/** Something that must be so. */
export interface Check {
  readonly name: string;
  /** @throws what is wrong */
  ask(): Promise<unknown>;
}

/** Work that must go on. */
export interface Duty {
  readonly name: string;
  /** What is due and not done; undefined: nothing. */
  problem(): Promise<string | undefined> | string | undefined;
}

type Stage = 'new' | 'starting' | 'started' | 'failed' | 'stopping';

const askMaxMs = 2_000;
/** A liveness probe waits for a second as a rule. */
const needsMaxMs = 500;
/** Longer than any server that answers at all takes to be looked at. */
const startMaxMs = 60_000;
/** Whoever asks while a question is open shares its answer, for so long: it may never come. */
const openMaxMs = 10_000;

export class Vitals implements Health {
  readonly #needs: Question[] = [];
  readonly #duties: Duty[] = [];
  #stage: Stage = 'new';
  #since = performance.now();

  enter(stage: Stage): void {
    this.#stage = stage;
    this.#since = performance.now();
  }

  need(...checks: readonly Check[]): void {
    this.#needs.push(...checks.map((check) => new Question(check)));
  }

  watch(...duties: readonly Duty[]): void {
    this.#duties.push(...duties);
  }

  async ready(): Promise<HealthReport> {
    return reportOf([
      this.#stage === 'started' ? fine('started') : wrong('started', this.#stageText()),
      ...(await this.needs()),
    ]);
  }

  async live(): Promise<HealthReport> {
    if (this.#stage === 'starting' && this.#stageMs() > startMaxMs) {
      return reportOf([wrong('started', this.#stageText())]);
    }
    if (this.#stage !== 'started') return reportOf([fine('started')]);
    const away = await this.#whatIsAway();
    if (away !== undefined) return reportOf([{ ...fine('work'), reason: `not judged, for ${away}` }]);
    return reportOf(await Promise.all(this.#duties.map(judge)));
  }

  /** Of each thing that is needed, whether it is there. */
  needs(): Promise<CheckResult[]> {
    return Promise.all(this.#needs.map((question) => question.answer()));
  }

  async #whatIsAway(): Promise<string | undefined> {
    try {
      const away = (await inTime(this.needs(), needsMaxMs)).find(({ ok }) => !ok);
      return away && `${away.name}: ${away.reason}`;
    } catch (error) {
      return `what it needs gave ${messageOf(error)}`;
    }
  }

  #stageText(): string {
    return this.#stage === 'new' ? 'not started yet' : `${this.#stage} for ${secondsOf(this.#stageMs())} s`;
  }

  #stageMs(): number {
    return performance.now() - this.#since;
  }
}

/** Asked by many, it is open once: a database that hangs must not collect questions. */
class Question {
  readonly #check: Check;
  #open: { readonly answer: Promise<unknown>; readonly since: number } | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  async answer(): Promise<CheckResult> {
    const { name } = this.#check;
    try {
      await inTime(this.#ask(), askMaxMs);
      return fine(name);
    } catch (error) {
      return wrong(name, messageOf(error));
    }
  }

  #ask(): Promise<unknown> {
    const now = performance.now();
    if (this.#open !== undefined && now - this.#open.since < openMaxMs) return this.#open.answer;
    const open = { answer: this.#check.ask(), since: now };
    this.#open = open;
    const close = (): void => {
      if (this.#open === open) this.#open = undefined;
    };
    open.answer.then(close, close);
    return open.answer;
  }
}

async function judge(duty: Duty): Promise<CheckResult> {
  try {
    const problem = await inTime(Promise.resolve(duty.problem()), needsMaxMs);
    return problem === undefined ? fine(duty.name) : wrong(duty.name, problem);
  } catch (error) {
    return { ...fine(duty.name), reason: `not judged: ${messageOf(error)}` };
  }
}

function reportOf(checks: readonly CheckResult[]): HealthReport {
  return { ok: checks.every(({ ok }) => ok), checks };
}

const fine = (name: string): CheckResult => ({ name, ok: true });
const wrong = (name: string, reason: string): CheckResult => ({ name, ok: false, reason });

/** Whole ones, for people. */
export function secondsOf(ms: number): number {
  return Math.round(ms / 1_000);
}
