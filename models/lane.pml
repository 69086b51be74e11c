/*
 * A lane: write, seal, apply, ack, void, split, raise, by workers that die or pause at every step, over a Redis that
 * may go back in time once. src/buffer/README.md is the specification; what stands in brackets, there and here, names
 * its invariants (test/unit/invariants.test.ts).
 *
 * One record, whose second version the database may refuse, and the delta of another row's counter: enough for a batch
 * to have a part that stays when the other is taken out. Versions and numbers are small integers that grow, as a clock does.
 *
 * Each guard can be taken out, and then the search must fail: models/searches.ts has the list.
 */
#ifndef WORKERS
#define WORKERS 3
#endif
#ifndef APPS
#define APPS 2
#endif
#ifndef WRITES
#define WRITES 3
#endif
#ifndef CRASHES
#define CRASHES 2
#endif

/* Redis */
byte batch;              /* meta.batch */
byte dirtyVersion;       /* 0: the record is not dirty */
byte dirtyDelta;
byte sealedNumber;       /* 0: no batch is sealed */
byte sealedVersion;
byte sealedDelta;
byte deadVersion;        /* 0: the record is no dead letter */

/* Postgres */
byte ledger;
bool ledgerIsVoid;
byte rowVersion;
byte rowSum;

/* What the model knows, and nobody else */
byte version;            /* of the last accepted write, of either row */
byte clock;              /* of Redis, as batches are numbered by it */
byte acceptedVersion;    /* of the record */
byte acceptedSum;
byte refusedVersion;     /* the one version that the database refuses */
byte appliedNumber;      /* the last number under which rows were written */
byte crashes;
byte writes;
byte appsDone;
bool isLost;             /* Redis has gone back */
bool mustRaise[WORKERS + 1];
#ifdef CLOCK_BACK
bool mustDie[WORKERS + 1];
#endif

#ifdef LOSS
/* An older state of Redis */
byte oldBatch, oldDirtyVersion, oldDirtyDelta, oldSealedNumber, oldSealedVersion, oldSealedDelta;

/* The lane's generation, the last version that it has given, and the same of the generation before */
byte generation, laneVersion, pastVersion;
byte oldLaneVersion;
byte history;            /* the server's: another one once it has gone back */

/* The first delta's receipt, and where that delta is */
byte askedVersion, askedGeneration;
bool askedIsDirty, askedIsSealed, askedIsInRow, oldAskedIsDirty, oldAskedIsSealed;

/* [FB-GENERATION] The script that notices another history begins a generation, before it gives a version. */
#define notice if :: generation != history -> pastVersion = laneVersion; generation = history :: else fi
#ifdef NO_GENERATION
#define survivedUpTo laneVersion
#else
#define survivedUpTo (askedGeneration == generation -> laneVersion : pastVersion)
#endif
#define isQuiet (dirtyVersion == 0 && dirtyDelta == 0 && sealedNumber == 0)
/* A receipt that resolves tells the truth, also after a loss. */
#define holdsReceipt assert(askedVersion == 0 || askedVersion > survivedUpTo || !isQuiet || askedIsInRow)
#else
#define holdsReceipt skip
#endif

#define max(a, b) ((a) > (b) -> (a) : (b))
#define isSealedApplied (sealedNumber != 0 && ledger >= sealedNumber && !(ledger == sealedNumber && ledgerIsVoid))

/* [FB-ONCE] Each accepted delta is in one place: dirty, sealed and not applied, or in the row. */
#define holdsOnce assert(isLost || rowSum + dirtyDelta + (isSealedApplied -> 0 : sealedDelta) == acceptedSum)

/* [FB-NUMBERS] max(last + 1, clock): greater than any before it, also of a state that Redis has forgotten. */
#ifdef NO_GROWTH
#define newNumber batch = max(batch, 1)
#else
#define newNumber clock = max(clock, batch) + 1; batch = clock
#endif

/* A process may end before each step: what it knew is gone. A pause needs no words: any step may come late. */
#ifdef CLOCK_BACK
#define mayDie if :: crashes > 0 -> crashes--; goto start :: mustDie[me] -> goto start :: !mustDie[me] fi
#else
#define mayDie if :: crashes > 0 -> crashes--; goto start :: skip fi
#endif
#define forget number = 0; ver = 0; delta = 0; isVoid = false

proctype App() {
	do
	:: atomic { /* put: a newer write ends a dead letter */
		writes > 0 -> writes--; version++;
#ifdef LOSS
		notice; laneVersion = version;
#endif
		dirtyVersion = version; acceptedVersion = version; deadVersion = 0;
		if
		:: refusedVersion == 0 -> refusedVersion = version
		:: skip
		fi
	   }
	:: atomic { /* add */
		writes > 0 -> writes--; version++;
#ifdef LOSS
		notice; laneVersion = version;
		if
		:: askedVersion == 0 -> askedVersion = version; askedGeneration = generation; askedIsDirty = true
		:: else
		fi;
#endif
		dirtyDelta++; acceptedSum++;
		holdsOnce
	   }
	:: atomic { writes == 0 -> appsDone++; break }
	od
}

proctype Worker(byte me) {
	byte number, ver, delta;
	bool isVoid;
#ifdef LOSS
	bool hasAsked;
#endif

start:
	atomic {
		forget; mustRaise[me] = true;
#ifdef CLOCK_BACK
		mustDie[me] = false
#endif
	};
endAsleep:
	do
	:: mustRaise[me] ->
		/* [FB-RAISE] At its start, and when its connection is back, before it seals: no number is below the ledger's. */
		atomic {
			mustRaise[me] = false;
#ifndef NO_RAISE
			batch = max(batch, ledger)
#endif
		}
	:: atomic { /* seal. [FB-ONE-BATCH] what is sealed stays until its acknowledgement */
		!mustRaise[me] && (sealedNumber != 0 || dirtyVersion != 0 || dirtyDelta != 0) ->
		if
#ifdef NO_ONE_BATCH
		:: dirtyVersion != 0 || dirtyDelta != 0 ->
#else
		:: sealedNumber == 0 ->
#endif
			newNumber;
			sealedNumber = batch;
			sealedVersion = dirtyVersion; sealedDelta = dirtyDelta;
			dirtyVersion = 0; dirtyDelta = 0;
#ifdef LOSS
			askedIsSealed = askedIsDirty; askedIsDirty = false
#endif
		:: else
		fi;
#ifdef LOSS
		notice; hasAsked = askedIsSealed;
#endif
		number = sealedNumber; ver = sealedVersion; delta = sealedDelta;
		holdsOnce
	   }
		atomic { /* apply. [FB-LEDGER] one transaction, whose first statement advances the ledger */
			mayDie;
			if
			:: ver != 0 && ver == refusedVersion && ledger < number -> goto refused
			:: true /* it need not refuse again: the row that was missing may be there */
			fi;
			if
#ifdef NO_LEDGER
			:: true ->
#else
			:: ledger < number ->
#endif
				/* [FB-NO-BACK] A row never goes back to an older version. */
				assert(isLost || ver == 0 || ver > rowVersion);
				/* [FB-NUMBER-ONCE] A number is applied once or never. */
				assert(number > appliedNumber);
				appliedNumber = number;
				ledger = number; ledgerIsVoid = false;
				rowVersion = (ver != 0 -> ver : rowVersion);
				rowSum = rowSum + delta;
#ifdef LOSS
				askedIsInRow = askedIsInRow || hasAsked
#endif
			:: else -> isVoid = (ledger == number && ledgerIsVoid)
			fi;
			holdsOnce;
			if
			:: isVoid -> goto split
			:: else
			fi
		};
		atomic { /* ack. [FB-ACK-NUMBER] drops the sealed batch of its own number only */
			mayDie;
			if
#ifdef NO_ACK_NUMBER
			:: true ->
#else
			:: sealedNumber == number ->
#endif
				sealedNumber = 0; sealedVersion = 0; sealedDelta = 0;
#ifdef LOSS
				askedIsSealed = false
#endif
			:: else
			fi;
			forget; holdsOnce; holdsReceipt;
			goto endAsleep
		};
refused:
		atomic { /* void. [FB-VOID] nothing is applied under the number from now on */
			mayDie;
#ifdef NO_VOID
			isVoid = true;
#else
			if
			:: ledger < number -> ledger = number; ledgerIsVoid = true
			:: else
			fi;
			isVoid = (ledger == number && ledgerIsVoid);
#endif
			holdsOnce;
			if
			:: !isVoid -> forget; goto endAsleep
			:: else
			fi
		};
split:
		atomic { /* split. [FB-NEW-NUMBER] what stands under a number never changes: the rest gets another */
			mayDie;
			if
			:: sealedNumber == number ->
				/* Each split takes a record out, so a batch is split a bounded number of times. */
				assert(sealedVersion != 0);
				/* what was written meanwhile takes its place */
				deadVersion = (dirtyVersion == 0 && sealedVersion != 0 -> sealedVersion : deadVersion);
				sealedVersion = 0;
				if
				:: sealedDelta == 0 -> sealedNumber = 0
				:: else ->
#ifndef NO_NEW_NUMBER
					newNumber;
					sealedNumber = batch
#endif
				fi
			:: else
			fi;
			forget; holdsOnce; holdsReceipt
		}
	od
}

#ifdef LOSS
/* A replica behind the master takes over, or a file of some time ago is loaded. */
proctype Loss() {
	atomic {
		oldBatch = batch; oldDirtyVersion = dirtyVersion; oldDirtyDelta = dirtyDelta;
		oldSealedNumber = sealedNumber; oldSealedVersion = sealedVersion; oldSealedDelta = sealedDelta;
		oldLaneVersion = laneVersion; oldAskedIsDirty = askedIsDirty; oldAskedIsSealed = askedIsSealed
	};
	atomic {
		batch = oldBatch; dirtyVersion = oldDirtyVersion; dirtyDelta = oldDirtyDelta;
		sealedNumber = oldSealedNumber; sealedVersion = oldSealedVersion; sealedDelta = oldSealedDelta;
		laneVersion = oldLaneVersion; askedIsDirty = oldAskedIsDirty; askedIsSealed = oldAskedIsSealed;
		history++;
		holdsReceipt;
		deadVersion = 0;
		isLost = true; acceptedVersion = 0;
		byte i;
#ifdef CLOCK_BACK
		/* The other machine's clock is behind. Batches in hand are given up: a number of theirs may come again. */
		clock = oldBatch;
		for (i : 1 .. WORKERS) { mustDie[i] = true }
#endif
		for (i : 1 .. WORKERS) { mustRaise[i] = true }
	}
}
#endif

/* [FB-DRAINED] When all is quiet, what was accepted is in the database, or is the dead letter. */
init {
	byte i;
	crashes = CRASHES; writes = WRITES;
	atomic {
		for (i : 1 .. APPS) { run App() }
		for (i : 1 .. WORKERS) { run Worker(i) }
#ifdef LOSS
		run Loss()
#endif
	}
	/* A lane that is never empty again ends the search as an invalid end state. */
	atomic {
		appsDone == APPS && dirtyVersion == 0 && dirtyDelta == 0 && sealedNumber == 0 ->
		assert(isLost || rowSum == acceptedSum);
		/* Also what is accepted by a Redis that went back: no batch is taken for one that was applied before. */
		assert(acceptedVersion == 0 || rowVersion == acceptedVersion || deadVersion == acceptedVersion)
	}
}
