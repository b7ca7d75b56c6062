/**
 * Types of the page's modules. They stand here so that no phone has to load them; with `jsconfig.json` an editor checks
 * the modules by them.
 */

/** A tap in photo pixels; keep: it is part of the thing. */
type Tap = { x: number; y: number; keep: boolean };
/** A mask of 1 bit a pixel, rows padded to bytes, 1 = painted; png: the same as base64, for the draft. */
type Bits = { width: number; height: number; bits: Uint8Array; png?: string };
/** points: x, y, x, y, … in photo pixels. */
type Line = { kind: 'brush' | 'eraser'; width: number; points: number[] };
/** A closed outline (lasso, rectangle). */
type Area = { kind: 'area'; erase: boolean; points: number[] };
/** What a tap selected; the last of a session stands for all of it. */
type Found = { kind: 'found'; session: number; taps: Tap[]; mask: Bits };
/** The mask the edit came with; of a cut-out that is corrected, the one of its last round. */
type Stored = { kind: 'stored'; mask: Bits };
type Whole = { kind: 'invert' } | { kind: 'clear' };
type Op = Line | Area | Found | Stored | Whole;

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
/** In photo pixels. */
type Box = { left: number; top: number; right: number; bottom: number };
/** On the stage, CSS px. */
type Point = { x: number; y: number };

type ToolName = 'brush' | 'eraser' | 'lasso' | 'rect' | 'select';
/** One gesture of a tool; points are on the stage, CSS px. */
type Tool = {
  move: (points: Point[]) => void;
  /** Once a screen frame: draw what came since. */
  frame: () => void;
  /** What it made: an operation, a tap, or nothing. */
  end: () => Op | Point | null;
};

type StageEvents = {
  painted: (op: Op) => void;
  /** In photo pixels. */
  tapped: (at: Point) => void;
  /** The tap was the first half of a double tap. */
  untapped: () => void;
  /** What was shown instead of the photo is gone. */
  touched: () => void;
  /** Zoom or pan has changed. */
  viewed: () => void;
};

type How = { touch: boolean; away: boolean; eraser: boolean };
/** What the gestures do. */
type Hands = {
  /** A stroke; false: not now. */
  begin: (at: Point, how: How) => boolean;
  move: (points: Point[]) => void;
  end: () => void;
  cancel: () => void;
  /** Whether it meant something, so that the two taps paint nothing. */
  doubleTap: () => boolean;
  zoom: (factor: number, from: Point, to: Point) => void;
  pan: (dx: number, dy: number) => void;
  /** The camera rests. */
  settle: () => void;
  /** A mouse without a button. */
  hover: (at: Point | null) => void;
};

type Painting = { ops: Op[]; undone: Op[] };
type Round = { id: string; result: Blob | null };
type Draft = {
  ops: Op[];
  /** Ids of the rounds since the page was first opened. */
  rounds: string[];
  /** How many of them the painted picture has behind it. */
  at: number;
  /** Id of the round that was under way. */
  pending: string | null;
};
