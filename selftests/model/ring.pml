/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of records and its wake-ups, for spin: kernel/ring.c, ring_fast.h,
 * wake.c and read.c.  Names are those of the C code; each inline names the
 * function that it models.  Each access to shared memory is a step of its own.
 *
 * spin is sequentially consistent.  A missing barrier (-DNO_x) is therefore the
 * reordering that the barrier forbids: a load or a store that moves to the
 * other side.  A missing rule (-DWITHOUT_x) is the code without it.  model.sh
 * has the list, and the configurations: SIZE, WATERMARK, BUFFER, PRODUCERS, RUN.
 * Processes that do not run (RUNS_x) are left out: compiling them costs time.
 *
 * Variables below "Ghosts" are not in the kernel: they are what is checked.
 */

/* Positions have 4 or 5 bits, sequence numbers more. */
#if SIZE > 4
#define LOSS_SHIFT 5
#else
#define LOSS_SHIFT 4
#endif
#define MOD (1 << LOSS_SHIFT)
#define START (MOD - 2)		/* first position: it wraps soon */

/* The state word: position, others lost, exits lost, spilled. */
#define LOSS_OTHER MOD
#define LOSS_EXIT (4 * MOD)
#define LOSS_FULL (2 * MOD | 8 * MOD)	/* the top bit of each kind */
#define SPILLED (16 * MOD)
#define position_of(s) ((s) & (MOD - 1))
#define others_of(s) (((s) / LOSS_OTHER) & 3)
#define exits_of(s) (((s) / LOSS_EXIT) & 3)

#define distance(to, from) (((to) + MOD - (from)) % MOD)	/* u32 */
#define is_ahead(d) ((d) > 0 && (d) < MOD / 2)			/* s32 */
#define slot_at(position) ((position) % SIZE)
#define stamp_of(position) (((position) + 1) % MOD)
#define is_published(s, position) ((s) % MOD == stamp_of(position))
#define nearest(d) ((d) < MOD / 2 -> (d) : (d) - MOD)
#define expand_position(position, near) \
	((near) + nearest(distance((position) + 1, (near) % MOD)))

/* How a producer appends, and the kinds of loss. */
#define SINGLE 0
#define URGENT 1
#define PAIR 2
#define OTHER 0
#define EXIT 1

/* enum kmonitor_wakeup, enum kmonitor_readiness */
#define NONE 0
#define DELAYED 1
#define NOW 2
#define NOT_READY 0
#define IN_FLIGHT 1
#define READY 2

#define FOREVER 255

typedef slot {
	byte seq;
	byte first;		/* the payload, written and copied in halves */
	byte second
};

byte tail = START;
short state = START;
slot slots[SIZE];
byte announced = START;
bool loss_lock;
byte spilled_others, spilled_exits;
byte lost, lost_records;

bool queued;			/* hrtimer_is_queued() */
bool waiting[2];		/* on the wait queue, not woken yet */

/* Ghosts. */
#define LOST 128		/* in the payload of LOST; the rest is a count */
#define payload(number, group, kind) ((number) << 3 | (group) << 1 | (kind))
#define ALONE 0
#define FIRST 1
#define LAST 2
bool owned[SIZE];		/* reserved and not published */
byte head = START;		/* position to reserve next, without wrap */
byte decided;			/* records that got a slot or were lost */
byte matched[2];		/* the same by kind */
byte due_others, due_exits;	/* what the next LOST has to report */
byte taken[2], reported[2];	/* what consumers got, by kind */
byte taken_number;		/* records that consumers know the fate of */
bool in_group;			/* a group's second record is to come next */
byte shown;			/* last record that the world may know of */
byte due;			/* seq up to which nothing waits any more */
byte finished;			/* producers */
bool firing;			/* the timer's function runs */
bool sleeps[2], gone[2];	/* consumers */

#define max(a, b) ((a) > (b) -> (a) : (b))

/* The winner of an exchange of state has these slots, and nobody else. */
inline own_slots(from, n)
{
	g = 0;
	do
	:: g < (n) ->
		assert(!owned[slot_at((from) + g)]);
		owned[slot_at((from) + g)] = true;
		g++
	:: else -> break
	od;
	head = head + (n);
	g = 0
}

inline decide_records(n, kind)
{
	number = decided + 1;
	decided = decided + (n);
	matched[kind] = matched[kind] + (n)
}

/* The winner of the exchange that clears a loss reports what is due. */
inline own_loss()
{
	my_due_others = due_others;
	my_due_exits = due_exits;
	due_others = 0;
	due_exits = 0
}

/* A consumer has taken a record: the next one, whole. */
inline check_record(a, b)
{
	assert((a & LOST) == (b & LOST));
#ifdef HOSTILE
	assert(a & LOST || a == b);
#else
	if
	:: a & LOST ->
		assert(!in_group);
		taken_number = taken_number + a + b - 2 * LOST;
		reported[OTHER] = reported[OTHER] + a - LOST;
		reported[EXIT] = reported[EXIT] + b - LOST
	:: else ->
		assert(a == b);
		taken_number++;
		assert(a >> 3 == taken_number);
		assert(in_group == ((a >> 1 & 3) == LAST));
		in_group = (a >> 1 & 3) == FIRST;
		taken[a & 1] = taken[a & 1] + 1
	fi
#endif
}

/*
 * The wake-ups need larger bounds than the records: with -DCOARSE one step
 * reserves, one fills and publishes, one takes.
 */
#ifdef COARSE
#define coarse atomic
#else
#define coarse
#endif

/*
 * The ring.
 */

/* publish_slot(), and the exchange in kmonitor_ring_commit_slot() */
inline publish_slot(position_)
{
	d_step {
		assert(owned[slot_at(position_)]);
		owned[slot_at(position_)] = false;
		slots[slot_at(position_)].seq = slots[slot_at(position_)].seq + SIZE
	}
}

/* put_record(), put_lost() */
inline fill_slot(position_, a, b)
{
	slots[slot_at(position_)].first = a;
#ifdef NO_B
	publish_slot(position_);
	slots[slot_at(position_)].second = b
#else
	slots[slot_at(position_)].second = b;
	publish_slot(position_)		/* B */
#endif
}

/* announce_seq(); its loop is a maximum in one step. */
inline announce_seq(s)
{
	d_step {
#ifdef WITHOUT_MAXIMUM
		announced = s;
#else
		announced = max(announced, s);
#endif
		due = max(due, s)
	}
}

/*
 * wake_now(): all that are in the queue; an edge for epoll.  Of those that wait
 * with EPOLLEXCLUSIVE, one.
 */
inline wake_now()
{
#ifdef EXCLUSIVE
	if
	:: waiting[0] -> waiting[0] = false
	:: waiting[1] -> waiting[1] = false
	:: else
	fi
#else
	d_step {
		waiting[0] = false;
		waiting[1] = false
	}
#endif
}

/* kmonitor_ring_readiness() */
inline look_at_readiness()
{
	at = tail;
	atomic {
		used = distance(position_of(state), at);
		enough = used >= WATERMARK || state >> LOSS_SHIFT != 0
	};
	atomic { seq = slots[slot_at(at)].seq };	/* C */
	atomic {
		if
		:: used == 0 || used > SIZE -> readiness = NOT_READY
		:: else ->
			if
			:: !enough && announced < expand_position(at, seq) ->
				readiness = NOT_READY
			:: else ->
				readiness = (is_published(seq, at) -> READY :
								      IN_FLIGHT)
			fi
		fi;
		at = 0; used = 0; enough = false; seq = 0
	}
}

/* kmonitor_wake_later(), behind its look whether the timer is queued */
inline start_unless(was_queued)
{
	if
	:: was_queued
	:: else ->
		coarse {
			at = tail;
			if
			:: is_published(slots[slot_at(at)].seq, at) ->
				queued = true
			:: else
			fi;
			at = 0
		}
	fi
}

inline wake_later()
{
	start_unless(queued)	/* G */
}

/* The loss of a replaced state, under loss_lock.  take_loss() */
inline take_loss()
{
	d_step {
		others = others_of(old);
		exits = exits_of(old)
	};
	if
	:: old & SPILLED ->
		d_step {
			others = others + spilled_others;
			exits = exits + spilled_exits;
			spilled_others = 0;
			spilled_exits = 0
		}
	:: else
	fi;
	lost = lost + others + exits;
	lost_records++
}

/* The LOST record has the exact count.  put_lost() */
inline put_lost(position_)
{
	d_step {
		assert(others == my_due_others && exits == my_due_exits);
		assert(others + exits > 0)
	};
	fill_slot(position_, LOST + others, LOST + exits);
	d_step { others = 0; exits = 0; my_due_others = 0; my_due_exits = 0 }
}

inline lock_loss()
{
	atomic { !loss_lock -> loss_lock = true }
}

/*
 * Producers.
 */

inline load_tail()
{
	tail_seen = tail	/* A */
}

/* The stamps of the lap before.  Part of slots_fit() */
inline load_stamps(n)
{
	atomic {
		fits = true;
		do
		:: i < (n) ->
#ifndef WITHOUT_STAMPS
			fits = fits && slots[slot_at(position_of(old) + i)].seq %
				MOD == stamp_of(position_of(old) + MOD - SIZE + i);
#endif
			i++
		:: else -> break
		od;
		i = 0
	}
}

/* slots_fit(), and the same in kmonitor_ring_reserve_slot() */
inline look_for_room(n)
{
#ifdef NO_A
	load_stamps(n);
	load_tail();
#else
	load_tail();
	load_stamps(n);
#endif
	fits = fits && (n) <= SIZE &&
	       distance(position_of(old), tail_seen) <= SIZE - (n)
}

/* kmonitor_ring_reserve_slot() */
inline reserve_slot()
{
	old = state;
	do
	:: look_for_room(1);
		if
		:: !fits || old >> LOSS_SHIFT -> break
		:: else
		fi;
		atomic {
			if
			:: state == old ->
				state = (old + 1) % MOD;
				position = old;
				nr_slots = 1;
				own_slots(position, 1);
				decide_records(1, kind);
				break
			:: else -> old = state
			fi
		}
	od
}

/* What the producer of a loss owes: somebody may have found no loss yet. */
inline wake_for_loss()
{
#ifdef NO_E_LOSS
	moved = moved_early;
#else
	moved = tail != tail_seen;	/* E */
#endif
#ifndef WITHOUT_LOSS_WAKES
	wakeup = (moved -> NOW : NONE);
#endif
	moved = false
}

inline lose(n, kind)
{
	decide_records(n, kind);
	if
	:: kind == OTHER -> due_others = due_others + (n)
	:: else -> due_exits = due_exits + (n)
	fi
}

/* kmonitor_ring_count_loss() */
inline count_loss()
{
	old = state;
	if
	:: old & LOSS_FULL || !(old >> LOSS_SHIFT)
	:: else ->
		load_tail();
#ifdef NO_E_LOSS
		moved_early = tail != tail_seen;
#endif
		if
		:: distance(position_of(old), tail_seen) > SIZE - 2 ->
			atomic {
				if
				:: state == old ->
					state = old + units;
					lose(1, kind);
					counted = true
				:: else
				fi
			};
			if
			:: counted -> wake_for_loss()
			:: else
			fi
		:: else
		fi
	fi
}

/* decide_by_exchange(), with the lock as reserve_slots() takes it */
inline reserve_slots()
{
	old = state;
	do
	:: nr_slots = nr + (old >> LOSS_SHIFT -> 1 : 0);
		look_for_room(nr_slots);
#ifdef WITHOUT_WHOLE_GROUPS
		if
		:: !fits && nr == 2 && old >> LOSS_SHIFT == 0 ->
			look_for_room(1);
			if
			:: fits -> nr_slots = 1
			:: else
			fi
		:: else
		fi;
#endif
#ifdef NO_E_LOSS
		moved_early = tail != tail_seen;
#endif
		d_step {
			if
			:: fits ->
#ifdef WITHOUT_LOCKED_REPORT
				needs_lock = (old & SPILLED) != 0;
#else
				needs_lock = nr_slots > nr;
#endif
				next = (position_of(old) + nr_slots) % MOD
			:: else ->
				nr_slots = 0;
				needs_lock = (old & LOSS_FULL) != 0;
				next = (needs_lock -> position_of(old) | SPILLED :
						      old) + units
			fi
		};
#ifndef WITHOUT_LOSS_LOCK
		if
		:: needs_lock && !locked ->
			lock_loss();
			locked = true;
			old = state;
			next = 0;
			needs_lock = false;
			goto again
		:: else
		fi;
#endif
		atomic {
			if
			:: state == old ->
				state = next;
				position = position_of(old);
				if
				:: nr_slots ->
					own_slots(position, nr_slots);
					if
					:: old >> LOSS_SHIFT -> own_loss()
					:: else
					fi;
#ifdef WITHOUT_WHOLE_GROUPS
					if
					:: nr == 2 && nr_slots == 1 ->
						nr = 1;
						decide_records(1, kind);
						state = state + LOSS_OTHER;
						due_others++;
						decided++;
						matched[kind] = matched[kind] + 1
					:: else -> decide_records(nr, kind)
					fi
#else
					decide_records(nr, kind)
#endif
				:: else -> lose(nr, kind)
				fi;
				break
			:: else -> old = state
			fi
		};
again:		skip
	od;
	if
	:: nr_slots > nr -> take_loss()
	:: nr_slots == 0 && needs_lock ->
		/* spill_loss() */
		d_step {
			spilled_others = spilled_others + others_of(old);
			spilled_exits = spilled_exits + exits_of(old)
		}
	:: else
	fi;
	if
	:: locked -> loss_lock = false
	:: else
	fi;
	if
	:: nr_slots == 0 -> wake_for_loss()
	:: nr_slots > nr -> lost_slot = true
	:: else
	fi;
	atomic { locked = false; needs_lock = false; next = 0 }
}

/* kmonitor_ring_choose_wakeup(), with the look in kmonitor_ring_commit_slot() */
inline choose_wakeup()
{
#ifdef NO_E
	tail_seen = tail_early;
#else
	tail_seen = tail;	/* E */
#endif
	if
	:: distance(tail_seen, position) < nr_slots && WATERMARK == 1 ->
		wakeup = NOW
	:: is_ahead(distance(position, tail_seen)) ->
		if
		:: distance(position, tail_seen) < WATERMARK ->
#ifndef WITHOUT_USED
			if
			:: distance(position_of(state), tail_seen) >= WATERMARK ->
				wakeup = NOW
			:: else
			fi
#else
			skip
#endif
		:: else
		fi
	:: else ->
#ifdef WITHOUT_LOOK_BEHIND
		if
		:: distance(tail_seen, position) >= nr_slots -> goto chosen
		:: else
		fi;
#endif
#ifdef WITHOUT_ANNOUNCED
		/* As it once was: the fill level only. */
		readiness = (distance(position_of(state), tail_seen) >= WATERMARK ||
			     state >> LOSS_SHIFT != 0 -> READY : NOT_READY);
#else
		look_at_readiness();
#endif
		if
		:: readiness == READY -> wakeup = NOW
		:: else ->
			wakeup = (distance(tail_seen, position) < nr_slots ->
				  DELAYED : NONE)
		fi;
		readiness = 0
	fi;
#ifdef WITHOUT_LOOK_BEHIND
chosen:	skip
#endif
}

/* put_record() for each record; what it loads early, if a barrier is missing. */
inline put_records()
{
	do
	:: i < nr ->
#ifdef NO_E
		tail_early = tail;
#endif
#ifdef NO_G
		queued_early = queued;
#endif
		coarse {
		content = payload(number + i, (how == PAIR -> FIRST + i : ALONE),
				  kind);
		fill_slot(position + nr_slots - nr + i, content, content);
#ifdef NOWAIT
		shown = max(shown, number + i);
#endif
		content = 0;
		i++
		}
	:: else -> break
	od;
	i = 0
}

/* wakeup_for_slots() */
inline wakeup_for_slots()
{
	i = (how == URGENT -> nr_slots : nr_slots - nr);
	if
	:: i > 0 && WATERMARK > 1 ->
		seq = slots[slot_at(position + i - 1)].seq;
		seq = expand_position((position + i - 1) % MOD, seq);
		announce_seq(seq);
		seq = 0;
#ifdef WITHOUT_URGENT_WAKES
		choose_wakeup()
#else
		wakeup = NOW
#endif
	:: else -> choose_wakeup()
	fi;
	i = 0
}

/* kmonitor_ring_append(), kmonitor_ring_append_group(), and the wake-up */
proctype producer(byte how, kind, times)
{
	short old, next;
	byte nr, nr_slots, position, tail_seen, units, wakeup, readiness;
	byte number, others, exits, my_due_others, my_due_exits;
	byte content, at, used, seq, i, g;
	bool fits, counted, locked, needs_lock, lost_slot, moved, enough;
#ifdef NO_E
	byte tail_early;
#endif
#ifdef NO_E_LOSS
	bool moved_early;
#endif
#if defined(NO_G) || defined(NO_G_ALONE)
	bool queued_early;
#endif

	do
	:: atomic {
			times > 0 ->
			times--;
			nr = (how == PAIR -> 2 : 1);
			units = (kind == EXIT -> LOSS_EXIT : nr * LOSS_OTHER)
		};
		if
		:: how == SINGLE ->
			coarse { reserve_slot() };
			if
			:: nr_slots == 0 -> count_loss()
			:: else
			fi
		:: else
		fi;
		if
		:: nr_slots == 0 && !counted -> coarse { reserve_slots() }
		:: else
		fi;
		if
		:: nr_slots ->
#ifdef WITHOUT_LOST_FIRST
			/* The records, then what was lost before them. */
			if
			:: lost_slot ->
				nr_slots--;
				put_records();
				nr_slots++;
				put_lost(position + nr_slots - 1)
			:: else -> put_records()
			fi;
#else
			if
			:: lost_slot -> put_lost(position)
			:: else
			fi;
			put_records();
#endif
#ifdef NO_G_ALONE
			queued_early = queued;
#endif
			wakeup_for_slots()
		:: else
		fi;
		/* kmonitor_wake_as_owed() */
		if
		:: wakeup == NOW -> wake_now()
		:: wakeup == DELAYED ->
#if defined(NO_G) || defined(NO_G_ALONE)
			start_unless(queued_early)
#else
			wake_later()
#endif
		:: else
		fi;
		atomic {
			old = 0; nr_slots = 0; position = 0; tail_seen = 0;
			wakeup = 0; number = 0; fits = false; counted = false;
			lost_slot = false
#ifdef NO_E
			; tail_early = 0
#endif
#ifdef NO_E_LOSS
			; moved_early = false
#endif
#if defined(NO_G) || defined(NO_G_ALONE)
			; queued_early = false
#endif
		}
	:: else -> break
	od;
	finished++
}

/*
 * The timer: it may fire whenever it is queued.  The delay of the oldest record
 * may have expired then or not.  delay_expired()
 */
active proctype timer()
{
	byte at, seq, target, ghost;
	bool oldest;
#ifdef WITHOUT_TIMER_WAKES
	bool ready;
#endif

end:	do
#ifdef NO_H
	:: d_step { queued -> firing = true };
		at = tail;
		oldest = is_published(slots[slot_at(at)].seq, at);
		queued = false;
#else
	:: d_step { queued -> queued = false; firing = true };
		/* H */
		coarse {
			at = tail;
			oldest = is_published(slots[slot_at(at)].seq, at)
		};
#endif
		if
		:: oldest -> queued = true		/* left > 0 */
		:: oldest ->
#ifdef WITHOUT_TIMER_WAKES
			d_step {
				ready = distance(position_of(state), tail) >=
						WATERMARK ||
					state >> LOSS_SHIFT || announced >=
					expand_position(tail,
						slots[slot_at(tail)].seq)
			};
#endif
			/* kmonitor_ring_announce() */
			atomic {
				at = position_of(state);
				ghost = head;
#ifdef WITHOUT_IN_FLIGHT
				/* Only what is published. */
				at = tail;
				do
				:: at != position_of(state) &&
				   is_published(slots[slot_at(at)].seq, at) ->
					at = (at + 1) % MOD
				:: else -> break
				od;
#endif
				seq = slots[slot_at(at)].seq;
				target = expand_position(at, seq) - 1
			};
			atomic {
				announce_seq(target);
				due = max(due, ghost)
			};
#ifdef WITHOUT_TIMER_WAKES
			/* As it once was: not if the ring has been ready before. */
			if
			:: !ready -> wake_now()
			:: else
			fi
#else
			wake_now()
#endif
		:: else
		fi;
		atomic {
			at = 0; seq = 0; target = 0; ghost = 0; oldest = false;
			firing = false
#ifdef WITHOUT_TIMER_WAKES
			; ready = false
#endif
		}
	od
}

/*
 * Consumers.
 */

/* kmonitor_ring_report_loss() */
inline report_loss()
{
	lock_loss();
	old = state;
	do
	:: tail_seen = tail;
		if
		:: old >> LOSS_SHIFT == 0 ||
#ifndef WITHOUT_DRAINED
		   position_of(old) != tail_seen ||
#endif
		   slots[slot_at(position_of(old))].seq % MOD !=
		   stamp_of(position_of(old) + MOD - SIZE) ->
			loss_lock = false;
			break
		:: else
		fi;
		atomic {
			if
			:: state == old ->
				state = (position_of(old) + 1) % MOD;
				own_slots(position_of(old), 1);
				own_loss();
				fits = true;
			:: else -> old = state
			fi
		};
		if
		:: fits ->
			take_loss();
			loss_lock = false;
			put_lost(position_of(old));
			seq = slots[slot_at(position_of(old))].seq;
			seq = expand_position(position_of(old), seq);
			announce_seq(seq);
			seq = 0;
			break
		:: else
		fi
	od;
	atomic { old = 0; tail_seen = 0; fits = false }
}

/* look_for_records(), with flush_waiting() */
inline look_for_records()
{
#ifdef NO_G_ALONE
	queued_early = queued;
#endif
	look_at_readiness();
	if
	:: readiness == NOT_READY && state >> LOSS_SHIFT ->
		report_loss();
		look_at_readiness()
	:: else
	fi;
#ifndef WITHOUT_READER_TIMER
	if
	:: readiness == NOT_READY && WATERMARK > 1 ->
#ifdef NO_G_ALONE
		start_unless(queued_early)
#else
		wake_later()
#endif
	:: else
	fi
#endif
}

/* kmonitor_ring_peek() */
inline peek()
{
	position = tail;
	do
	:: nr < BUFFER - done && slot_at(position) + nr < SIZE ->
		if
		:: is_published(slots[slot_at(position + nr)].seq,
				position + nr) -> nr++
		:: else -> break
		fi
	:: else -> break
	od;
	last = nr < BUFFER - done && slot_at(position) + nr < SIZE
}

/* copy_to_iter(), a half after the other */
inline copy_records()
{
	do
	:: i < nr ->
		first[i] = slots[slot_at(position + i)].first;
		second[i] = slots[slot_at(position + i)].second;
		i++
	:: else -> break
	od;
	i = 0
}

inline check_records()
{
	do
	:: i < nr ->
		check_record(first[i], second[i]);
		i++
	:: else -> break
	od;
	i = 0
}

/* kmonitor_ring_consume(), behind its look at state; and the check */
inline consume()
{
	atomic {
		if
		:: tail == position ->
			tail = (position + nr) % MOD;		/* D, F */
			done = done + nr;
#ifndef NO_D
			check_records();
#endif
			won = true
		:: else
		fi
	}
#ifdef NO_D
	if
	:: won -> copy_records(); check_records()
	:: else
	fi
#endif
}

/* drain_ring() */
inline drain_ring()
{
	done = 0;
	do
	:: done < BUFFER ->
#ifdef NO_C
		/* Both are loaded before the seq is seen. */
		at = tail;
		first[0] = slots[slot_at(at)].first;
		second[0] = slots[slot_at(at)].second;
#endif
		peek();
		if
		:: nr == 0 && state >> LOSS_SHIFT ->
			report_loss();
			peek()
		:: else
		fi;
		if
		:: nr == 0 -> break
		:: else
		fi;
#if defined(NO_C)
		if
		:: at != position || nr > 1 -> copy_records()
		:: else
		fi;
		at = 0;
		used = distance(position_of(state), position);
#elif defined(NO_RMB)
		/* For one record. */
		first[0] = slots[slot_at(position)].first;
		used = distance(position_of(state), position);
		second[0] = slots[slot_at(position)].second;
#elif defined(NO_D)
		used = distance(position_of(state), position);
#else
		copy_records();
		used = distance(position_of(state), position);	/* behind smp_rmb() */
#endif
#ifdef WITHOUT_STATE_CHECK
		used = 0;
#endif
		if
		:: used <= SIZE -> consume()
		:: else
		fi;
		atomic { used = 0; nr = 0; position = 0 };
		if
		:: won && last -> break
		:: else -> won = false
		fi
	:: else -> break
	od;
	atomic {
		position = 0; nr = 0; used = 0; last = false; won = false;
		first[0] = 0; second[0] = 0;
		first[BUFFER - 1] = 0; second[BUFFER - 1] = 0
	}
}

#define CONSUMER_VARIABLES \
	short old; \
	byte position, tail_seen, readiness, at, used, seq, i, g; \
	byte others, exits, my_due_others, my_due_exits; \
	bool fits, enough G_VARIABLE

#ifdef NO_G_ALONE
#define G_VARIABLE ; bool queued_early
#else
#define G_VARIABLE
#endif

#define READER_VARIABLES \
	byte first[BUFFER], second[BUFFER], nr, done; \
	bool last, won

/*
 * kmonitor_read_iter() with sleep_until_woken(); so many calls.  Its look before
 * it is in the queue is left out: that in the queue does the same.
 */
#ifdef RUNS_reader
proctype reader(byte me, calls)
{
	CONSUMER_VARIABLES;
	READER_VARIABLES;

	do
	:: calls > 0 ->
#ifdef NO_F
		look_for_records();
		waiting[me] = true;
#else
		waiting[me] = true;	/* F: prepare_to_wait() */
		look_for_records();
#endif
		if
		:: atomic { readiness != READY -> readiness = 0; sleeps[me] = true };
end:			atomic { !waiting[me] -> sleeps[me] = false }
		:: atomic { else -> readiness = 0; waiting[me] = false };
			coarse { drain_ring() };
			if
			:: done > 0 ->
				/* wake_next() */
				if
				:: WATERMARK > 1 || waiting[0] || waiting[1] ->
					look_for_records()
				:: else
				fi;
				atomic {
					if
#ifdef WITHOUT_WAKE_NEXT
					:: skip
#else
					:: readiness == READY -> wake_now()
					:: else
#endif
					fi;
					calls = (calls == FOREVER -> FOREVER :
								     calls - 1);
					readiness = 0;
					done = 0
				}
			:: else
			fi
		fi
	:: else -> break
	od;
	gone[me] = true
}
#endif

/*
 * kmonitor_read_iter() with O_NONBLOCK, until -EAGAIN, by one who knows by other
 * means, as wait(2), that a record has been published.
 */
#ifdef RUNS_nowait_reader
proctype nowait_reader(byte me)
{
	CONSUMER_VARIABLES;
	READER_VARIABLES;
	byte goal;

end:	atomic { shown > 0 -> goal = shown };
	do
	:: drain_ring();
		if
		:: done > 0
		:: else ->
			/* wait_while_in_flight() */
			d_step {
				at = tail;
				used = distance(position_of(state), at);
				fits = is_published(slots[slot_at(at)].seq, at)
			};
			if
			:: used == 0 || used > SIZE -> break
			:: else
			fi;
#if defined(WITHOUT_WAIT)
			break;
#elif defined(WITHOUT_SECOND_LOOK)
			if
			:: fits -> break
			:: else
			fi;
#endif
			is_published(slots[slot_at(tail)].seq, tail) ||
			position_of(state) == tail;
			d_step { at = 0; used = 0; fits = false }
		fi;
		done = 0
	od;
	assert(taken_number >= goal);
	gone[me] = true
}
#endif

/*
 * A consumer of the mapped ring, as lib/reader_mmap.c, that sleeps in
 * epoll_wait(2) with EPOLLET: it is in the queue all the time.
 */
#ifdef RUNS_mmap_consumer
proctype mmap_consumer(byte me)
{
	CONSUMER_VARIABLES;
	byte first, second;
#ifdef NO_F_MMAP
	bool looked;
#endif

	do
	:: position = tail;
#ifdef NO_F_MMAP
		if
		:: looked
		:: else -> seq = slots[slot_at(position)].seq
		fi;
		looked = false;
#else
		seq = slots[slot_at(position)].seq;	/* C; behind F */
#endif
		if
		:: is_published(seq, position) ->
			seq = 0;
			first = slots[slot_at(position)].first;
#ifdef NO_D_MMAP
			tail = (position + 1) % MOD;
			second = slots[slot_at(position)].second;
			d_step { check_record(first, second) };
#else
			second = slots[slot_at(position)].second;
#ifdef NO_F_MMAP
			seq = slots[slot_at(position + 1)].seq;
			looked = true;
#endif
			atomic {
				tail = (position + 1) % MOD;	/* D */
				check_record(first, second)
			};
#endif
			d_step { first = 0; second = 0 }
		:: else ->
			seq = 0;
			/* flush(): one poll(2) */
			if
			:: state >> LOSS_SHIFT -> look_for_records()
			:: else
			fi;
			do
			:: readiness == READY -> break
			:: else ->
				sleeps[me] = true;
end:				atomic {
					!waiting[me] ->
					waiting[me] = true;
					sleeps[me] = false
				};
				look_for_records()	/* kmonitor_poll() */
			od
		fi;
		atomic { readiness = 0; position = 0 }
	od
}
#endif

/* One that shares the mapped ring with others takes a record, and no more. */
#ifdef RUNS_mmap_taker
proctype mmap_taker(byte me)
{
	byte position, first, second;

	do
	:: position = tail;
		if
		:: is_published(slots[slot_at(position)].seq, position)
		:: else -> break
		fi;
		first = slots[slot_at(position)].first;
		second = slots[slot_at(position)].second;
		atomic {
			if
			:: tail == position ->
				tail = (position + 1) % MOD;
				check_record(first, second);
				break
			:: else
			fi
		}
	od;
	position = 0; first = 0; second = 0
}
#endif

/* A consumer that stores anything in the tail. */
#ifdef RUNS_liar
proctype liar(byte times)
{
	do
	:: times > 0 ->
		times--;
		if
		:: tail = START
		:: tail = (START + 2) % MOD
		:: tail = (START + 5) % MOD
		fi
	:: else -> break
	od
}
#endif

/*
 * What must hold.
 */

#define is_owned (owned[0] || owned[1] || owned[SIZE - 2] || owned[SIZE - 1])
#define settled (finished == PRODUCERS && !loss_lock && !is_owned)
#define lies_still(me) (gone[me] || (sleeps[me] && waiting[me]))
#define quiet (settled && !firing && lies_still(0) && lies_still(1))

#define used_now distance(position_of(state), tail)
#define seq_now slots[slot_at(tail)].seq
#define pending_now (state >> LOSS_SHIFT != 0)
#define seq_next \
	expand_position(position_of(state), \
			slots[slot_at(position_of(state))].seq)

active proctype monitor()
{
end:	do
	/* kmonitor_ring_stats(): exact at any time; stamps here have 4 bits */
	:: d_step {
		!loss_lock ->
		assert(decided == head - START - lost_records + lost +
		       others_of(state) + exits_of(state) +
		       spilled_others + spilled_exits)
	}
	:: d_step {
		settled ->
		assert(seq_next == head + 1);
#ifdef HOSTILE
		/* Nobody waits for a record in flight because of a lie. */
		assert(used_now == 0 || used_now > SIZE ||
		       is_published(seq_now, tail))
#endif
	}
#ifndef HOSTILE
	/* Nobody sleeps while there is something to be woken for. */
	:: d_step {
		quiet && !(gone[0] && gone[1]) ->
		if
		:: used_now == 0 ->
			/* All has been read, and all losses are reported. */
			assert(!pending_now);
			assert(taken[OTHER] + reported[OTHER] == matched[OTHER]);
			assert(taken[EXIT] + reported[EXIT] == matched[EXIT])
		:: else ->
			/* Below the watermark: the delay runs. */
			assert(is_published(seq_now, tail));
			assert(used_now < WATERMARK && !pending_now);
			assert(announced < seq_now && due < seq_now);
			assert(queued)
		fi
	}
#endif
	od
}

init {
	byte i;

	atomic {
		do
		:: i < SIZE ->
			slots[slot_at(START - SIZE + i)].seq = START - SIZE + i + 1;
			i++
		:: else -> break
		od;
		i = 0;
		gone[0] = true;
		gone[1] = true;
		RUN
	}
}
