/*
 * Leases and tags: who misses an entry loads it under a lease, while others write, delete, invalidate and evict.
 * src/cache/README.md is the specification; what stands in brackets, there and here, names its invariants.
 *
 * One entry with one tag. Each reader is a process; Promela's steps are the calls to Redis and the load's read of the
 * database. A reader that dies with its lease is a lease that expires.
 *
 * Each guard can be taken out, and then the search must fail: models/searches.ts has the list.
 */
#ifndef READERS
#define READERS 3
#endif
#ifndef WRITERS
#define WRITERS 2
#endif

#define nothing 0
#define lease 1
#define value 2

/* Redis */
byte kind;               /* of what stands in the entry */
byte token;              /* of the lease */
byte content;            /* of the value: the row's version that it was loaded at */
byte contentTag;         /* and the tag's version, taken before the load */
byte tag = 1;            /* 0: evicted */
byte tagClock = 1;       /* no version of the tag is used twice */

/* Postgres */
byte row = 1;

/* What the model knows, and nobody else */
byte settled = 1;        /* the row's version at the last change that is complete: committed, and told to the cache */

#define drop kind = nothing; token = 0; content = 0; contentTag = 0

proctype Writer() {
	byte mine;
	atomic { row++; mine = row };
	if
	:: atomic { /* delete, or an invalidation by a pattern [FC-REVOKE] */
#ifdef NO_REVOKE
		if
		:: kind == value -> drop
		:: else
		fi;
#else
		drop;
#endif
		settled = (mine > settled -> mine : settled)
	   }
	:: atomic { /* an invalidation of the tag [FC-TAG-ONCE] */
#ifdef TAG_REUSED
		tag++;
#else
		tagClock++;
		tag = tagClock;
#endif
		settled = (mine > settled -> mine : settled)
	   }
	fi
}

/* Whatever Redis has a TTL for may be gone at any time. */
proctype Eviction() {
	if
	:: atomic { drop }
	:: atomic { tag = 0 }
	:: skip
	fi
}

proctype Reader(byte me) {
	byte begun, loaded, seenTag;
	begun = settled;
again:
	if
	:: atomic { kind == value && tag == contentTag && tag != 0 ->
		/* [FC-FRESH] No read gets a value that is older than a change which was complete when the read began. */
		assert(content >= begun)
	   }
	:: atomic { kind == nothing || (kind == value && (tag != contentTag || tag == 0)) ->
		/* claim [FC-ONE-LEASE] */
		drop; kind = lease; token = me
	   };
	   atomic { /* the tag's version, which is made when it is gone [FC-TAG-BEFORE] */
		if
		:: tag == 0 -> tagClock++; tag = tagClock
		:: else
		fi;
		seenTag = tag
	   };
	   loaded = row;
#ifdef TAG_AFTER
	   atomic { seenTag = tag };
#endif
	   assert(loaded >= begun);
	   atomic { /* fill [FC-FILL] only while its own lease stands */
		if
#ifdef NO_TOKEN
		:: true ->
#else
		:: kind == lease && token == me ->
#endif
			kind = value; token = 0; content = loaded; contentTag = seenTag
		:: else
		fi
	   }
	:: atomic { kind == lease -> /* wait; or the holder's time is over */
		if
		:: drop
		:: skip
		fi
	   };
	   kind != lease -> goto again
	fi
}

init {
	byte i;
	atomic {
		for (i : 1 .. WRITERS) { run Writer() }
		for (i : 1 .. READERS) { run Reader(i) }
		run Eviction()
	}
}
