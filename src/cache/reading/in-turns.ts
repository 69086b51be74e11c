/** Has what comes in one turn of the event loop done together. */
export function inTurns<One>(act: (all: readonly One[]) => Promise<void>): (one: One) => Promise<void> {
  let turn: { readonly all: One[]; readonly done: Promise<void> } | undefined;
  const open = () => {
    const all: One[] = [];
    const done = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      turn = undefined;
      return act(all);
    });
    return { all, done };
  };
  return (one) => {
    turn ??= open();
    turn.all.push(one);
    return turn.done;
  };
}
