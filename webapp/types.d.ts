/** Types that several of the page's modules use. They are in a file of their own so that no phone loads them. */

/** A tap in photo pixels; keep: whether it is on the object. */
type Tap = { x: number; y: number; keep: boolean };
/** A mask of 1 bit a pixel, rows padded to bytes, 1 = painted; png: the same as base64, for the draft. */
type Bits = { width: number; height: number; bits: Uint8Array; png?: string };
/** points: x, y, x, y, … in photo pixels. */
type Line = { kind: 'brush' | 'eraser'; width: number; points: number[] };
/** A closed outline (lasso, rectangle). */
type Area = { kind: 'area'; erase: boolean; points: number[] };
/** What a tap selected; the last one of a session replaces the earlier ones. */
type Found = { kind: 'found'; session: number; taps: Tap[]; mask: Bits };
/** The edit's own mask; while a cut-out is corrected, its last round's. */
type Stored = { kind: 'stored'; mask: Bits };
type Whole = { kind: 'invert' } | { kind: 'clear' };
type Op = Line | Area | Found | Stored | Whole;

type Api = import('./static/api.js').Api;
type Stage = import('./static/stage.js').Stage;
type Painter = import('./static/painter.js').Painter;
type Strokes = import('./static/strokes.js').Strokes;
type View = import('./static/view.js').View;

/** In pixels. */
type Size = { width: number; height: number };
/** In photo pixels. */
type Box = { left: number; top: number; right: number; bottom: number };
/** On the stage, in CSS px, unless said otherwise. */
type Point = { x: number; y: number };
/** A finger, pen or mouse that is down; type: the event's pointerType. */
type Pointer = Point & { type: string };

type ToolName = 'brush' | 'eraser' | 'lasso' | 'rect' | 'select';
/** One gesture of a tool; points are on the stage, CSS px. */
type Tool = {
  move: (points: Point[]) => void;
  /** Called once per frame: draw what is new. */
  frame: () => void;
  /** The result: an operation, a tap, or nothing. */
  end: () => Op | Point | null;
};

type StageEvents = {
  painted: (op: Op) => void;
  /** In photo pixels. */
  tapped: (at: Point) => void;
  /** The tap was the first half of a double tap. */
  untapped: () => void;
  /** A touch has ended a comparison. */
  touched: () => void;
  /** Zoom or pan has changed. */
  viewed: () => void;
};

/** erase: the Alt key is held; eraser: the pen's eraser end. */
type StrokeOptions = { touch: boolean; erase: boolean; eraser: boolean };
/** Called by `Input` for each gesture. */
type GestureHandlers = {
  /** A stroke starts; returns false to refuse it. */
  begin: (at: Point, options: StrokeOptions) => boolean;
  move: (points: Point[]) => void;
  end: () => void;
  cancel: () => void;
  /** Returns whether it had an effect; then the two taps paint nothing. */
  doubleTap: () => boolean;
  zoom: (factor: number, from: Point, to: Point) => void;
  pan: (dx: number, dy: number) => void;
  /** Zoom or pan has ended. */
  settle: () => void;
  /** A mouse moves without a pressed button. */
  hover: (at: Point | null) => void;
};

type Painting = { ops: Op[]; undone: Op[] };
type Round = { id: string; result: Blob | null };
type Draft = {
  ops: Op[];
  /** Ids of the rounds since the page was first opened. */
  rounds: string[];
  /** How many of them led to the picture that is painted on. */
  at: number;
  /** Id of the running round. */
  pending: string | null;
};

/** What the server tells about an edit. */
type Edit = Size & {
  id: string;
  language: string;
  operation: string;
  mask: boolean;
  result: boolean;
  state: string;
  parent: string | null;
};
/** The data depends on the type. */
type ServerEvent = { type: string; data: { stage?: string; position?: number; error?: string; message?: string } };

/** Of one of Telegram's buttons. */
type ButtonState = { text: string; visible: boolean; active: boolean; progress?: boolean };

/** The page's buttons that act when they are pressed. */
type Press = 'undo' | 'redo' | 'clear' | 'invert' | 'fit' | 'fullscreen' | 'cancel' | 'done';
/** What the page does for its buttons, slider and keys; sizes are in CSS px. */
type Actions =
  & Record<Press | 'undoRound' | 'erase' | 'escape', () => void>
  & Record<'compare' | 'space', (held: boolean) => void>
  & {
    tool: (name: ToolName) => void;
    /** In steps of the cursor. */
    arrow: (dx: number, dy: number) => void;
    zoom: (factor: number) => void;
    size: (pixels: number, done: boolean) => void;
  };
