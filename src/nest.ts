/**
 * `forebay/nest`: a module for Nest: `ForebayModule.forRoot({ connect: () => connect(stores, { prisma }) })`.
 * The app is connected before Nest listens, injected by `forebayToken`, and closed when Nest is.
 */
import type { DynamicModule, FactoryProvider, ModuleMetadata, OnApplicationShutdown } from '@nestjs/common';

export { type RequestScope, requestScope } from './neighbours/request-scope.js';

/** By which the app is injected, anywhere: `@Inject(forebayToken) app: Forebay<…>`. */
export const forebayToken: unique symbol = Symbol.for('forebay.nest');

/** What has an end; what `connect` gives has it. */
export interface ClosingApp {
  /** Ends it. */
  close(): Promise<void>;
}

/** What the module is made of. */
export interface ForebayModuleOptions {
  /** Connects the app, with what `inject` names: `(prisma: PrismaService) => connect(stores, { prisma })`. */
  readonly connect: (...injected: never[]) => ClosingApp | Promise<ClosingApp>;
  /** Tokens of what `connect` is called with. Default: none. */
  readonly inject?: NonNullable<FactoryProvider['inject']>;
  /** Modules that export those. Default: none. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
}

/** For Nest's `imports`, by `forRoot`. */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest knows a module by its class.
export class ForebayModule {
  /** The module, once for an application: all its modules have the app. */
  static forRoot({ connect, inject = [], imports = [] }: ForebayModuleOptions): DynamicModule {
    const app: FactoryProvider<ClosingApp> = { provide: forebayToken, useFactory: connect as never, inject };
    const closer: FactoryProvider<Closer> = {
      provide: Closer,
      useFactory: (connected: ClosingApp) => new Closer(connected),
      inject: [forebayToken],
    };
    return {
      module: ForebayModule,
      global: true,
      imports,
      providers: [app, closer],
      exports: [forebayToken],
    };
  }
}

/** Nest calls it once it takes no requests any more. */
class Closer implements OnApplicationShutdown {
  readonly #app: ClosingApp;

  constructor(app: ClosingApp) {
    this.#app = app;
  }

  onApplicationShutdown(): Promise<void> {
    return this.#app.close();
  }
}
