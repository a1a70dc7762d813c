/** @module Routes and agents, and which lead to which; with a process, where it has been and where it is. */
import { Graph, layout } from "@dagrejs/dagre";
import {
  BaseEdge,
  Controls,
  type Edge,
  type EdgeProps,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { type ReactNode, useMemo } from "react";
import type { GraphAnswer } from "../../../runtime/answers.ts";
import type { ProcessView } from "../../../runtime/process-view.ts";
import type { TimelineView } from "../../../runtime/timeline.ts";
import { Answer, Box, CommandLine, Empty, FaultNote, Head, Mark } from "../parts/blocks.tsx";
import { command } from "../parts/commands.ts";
import { type Shape, type ShapeEdge, type ShapeNode, shapeOf, type Visit, visitsOf } from "../parts/graph-shape.ts";
import { Link, type Loaded, useLoad, usePage } from "../parts/page.tsx";
import { API, type ScreenProps, TO } from "../parts/paths.ts";
import { FilterText } from "./dead-letters.tsx";

const NODE_WIDTH_PX = 190;
const NODE_HEIGHT_PX = 58;
const RANK_GAP_PX = 90;
const NODE_GAP_PX = 28;
const NONE: ReadonlyMap<string, Visit> = new Map();

interface NodeData extends Record<string, unknown> {
  readonly node: ShapeNode;
  readonly visit: Visit | undefined;
}

/** The screen. */
export default function GraphScreen({ query }: ScreenProps): ReactNode {
  const page = usePage();
  const id = query.get("process") ?? "";
  const graph = useLoad<GraphAnswer>("/graph");
  const process = useLoad<ProcessView>(id === "" ? undefined : API.process(id));
  const timeline = useLoad<TimelineView>(id === "" ? undefined : `${API.process(id)}/timeline`);
  return (
    <>
      <Head title="Routes" about="Which routes and agents lead to which. With a process: where it has been, and where it is now.">
        <FilterText name="Process" value={id} onChange={(chosen) => page.go(TO.graph({ process: chosen }))} />
      </Head>
      <Followed id={id} process={process} fault={timeline.fault} />
      <Answer of={graph}>
        {(data) =>
          data.routes.length + data.agents.length === 0 ? (
            <Empty title="This system has no routes">A route names its stops, and each stop the agent that works there.</Empty>
          ) : (
            <Routes graph={data} route={process.data?.route} timeline={timeline.data} />
          )
        }
      </Answer>
      <CommandLine text={command(["graph", "show"])} />
    </>
  );
}

function Followed({
  id,
  process,
  fault,
}: {
  readonly id: string;
  readonly process: Loaded<ProcessView>;
  readonly fault: Loaded<unknown>["fault"];
}): ReactNode {
  if (id === "") return null;
  const shown = process.fault ?? fault;
  if (shown !== undefined) return <FaultNote fault={shown} />;
  const view = process.data;
  if (view === undefined) return null;
  return (
    <p>
      <Link to={TO.run(id)}>{id}</Link>{" "}
      <span className="p-faint">
        {view.phase === "open" ? `is open${view.stop === undefined ? "" : ` at ${view.stop}`}` : view.outcome?.status}
      </span>
    </p>
  );
}

interface RoutesProps {
  readonly graph: GraphAnswer;
  readonly route: string | undefined;
  readonly timeline: TimelineView | undefined;
}

function Routes({ graph, route, timeline }: RoutesProps): ReactNode {
  const shape = useMemo(() => shapeOf(graph), [graph]);
  const places = useMemo(() => placesOf(shape), [shape]);
  const visits = useMemo(() => (route === undefined || timeline === undefined ? NONE : visitsOf(route, timeline)), [route, timeline]);
  const isFollowing = visits.size > 0;
  const nodes = useMemo(
    () =>
      shape.nodes.map((node): Node<NodeData> => ({
        id: node.id,
        type: "troupe",
        position: places.nodes.get(node.id) ?? { x: 0, y: 0 },
        data: { node, visit: visits.get(node.id) },
        className: isFollowing && !visits.has(node.id) ? "v-node-away" : "",
        ariaLabel: labelOf(node, visits.get(node.id)),
        draggable: false,
        connectable: false,
      })),
    [shape, places, visits, isFollowing],
  );
  const edges = useMemo(
    () => shape.edges.map((edge) => edgeOf(edge, visits, pathOf(places.edges.get(edge.id) ?? []))),
    [shape, visits, places],
  );
  return (
    <>
      <div className="v-graph" role="group" aria-label="Graph of routes and agents">
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          fitView
          fitViewOptions={{ maxZoom: 1, padding: 0.1 }}
          minZoom={0.1}
          nodesConnectable={false}
          edgesFocusable={false}
          preventScrolling={false}
          zoomOnScroll={false}
          proOptions={{ hideAttribution: true }}
        >
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
      <Edges shape={shape} visits={visits} />
    </>
  );
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where nodes stand, and the points that edges run through. */
interface Places {
  readonly nodes: ReadonlyMap<string, Point>;
  readonly edges: ReadonlyMap<string, readonly Point[]>;
}

/** Left to right, as work goes. */
function placesOf({ nodes, edges }: Shape): Places {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ranksep: RANK_GAP_PX, nodesep: NODE_GAP_PX });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: NODE_WIDTH_PX, height: NODE_HEIGHT_PX });
  for (const { id, from, to } of edges) graph.setEdge(from, to, {}, id);
  layout(graph);
  const corner = (id: string): Point => {
    const { x = 0, y = 0 } = graph.node(id);
    return { x: x - NODE_WIDTH_PX / 2, y: y - NODE_HEIGHT_PX / 2 };
  };
  return {
    nodes: new Map(nodes.map(({ id }) => [id, corner(id)])),
    edges: new Map(edges.map(({ id, from, to }) => [id, graph.edge(from, to, id).points ?? []])),
  };
}

/** A soft line through points. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const curves = rest.slice(0, -1).map(({ x, y }, index) => {
    const next = rest[index + 1] ?? { x, y };
    const isLast = index === rest.length - 2;
    return `Q ${x} ${y} ${isLast ? next.x : (x + next.x) / 2} ${isLast ? next.y : (y + next.y) / 2}`;
  });
  const only = rest.length === 1 ? rest.map(({ x, y }) => `L ${x} ${y}`) : [];
  return [`M ${first.x} ${first.y}`, ...curves, ...only].join(" ");
}

interface EdgeData extends Record<string, unknown> {
  readonly path: string;
}

function edgeOf({ id, from, to, kind, isRing }: ShapeEdge, visits: ReadonlyMap<string, Visit>, path: string): Edge<EdgeData> {
  const target = visits.get(to);
  const isUsed = visits.has(from) && target !== undefined;
  const isTurning = isRing && isUsed && target.count > 1;
  return {
    id,
    type: "troupe",
    data: { path },
    source: from,
    target: to,
    className: [
      "v-edge",
      `v-edge-${kind}`,
      isRing ? "v-edge-ring" : "",
      isUsed ? "v-edge-used" : "",
      isTurning ? "v-edge-turning" : "",
    ].join(" "),
    animated: isUsed && target.state === "open",
    markerEnd: { type: MarkerType.ArrowClosed, color: isRing ? "var(--p-u0)" : "var(--p-t4)" },
  };
}

function labelOf({ kind, name }: ShapeNode, visit: Visit | undefined): string {
  return `${kind} ${name}${visit === undefined ? "" : `, ${visit.state}, visited ${visit.count} times`}`;
}

function TroupeNode({ data: { node, visit } }: NodeProps<Node<NodeData>>): ReactNode {
  return (
    <div className={`v-node v-node-${node.kind}`} data-state={visit?.state} title={node.about}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="v-node-kind">
        {node.kind}
        {node.visitsMax === undefined ? "" : `, at most ${node.visitsMax} visits`}
      </span>
      <span className="v-node-name">{node.name}</span>
      {visit === undefined || visit.count < 2 ? null : <span className="v-node-count">{visit.count}×</span>}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

function TroupeEdge({ data, markerEnd }: EdgeProps<Edge<EdgeData>>): ReactNode {
  return <BaseEdge path={data?.path ?? ""} {...(markerEnd === undefined ? {} : { markerEnd })} />;
}

const EDGE_TYPES = { troupe: TroupeEdge };
const NODE_TYPES = { troupe: TroupeNode };

/** The same as a table, for those who cannot see the picture, and to search in. */
function Edges({ shape, visits }: { readonly shape: Shape; readonly visits: ReadonlyMap<string, Visit> }): ReactNode {
  const nodes = new Map(shape.nodes.map((node) => [node.id, node]));
  const name = (id: string): ReactNode => {
    const node = nodes.get(id);
    const visit = visits.get(id);
    return (
      <>
        {node?.name} <span className="p-faint">{node?.kind}</span>{" "}
        {visit === undefined ? null : (
          <Mark tone={visit.state === "failed" ? "bad" : visit.state === "open" ? "info" : "good"}>{`${visit.count}×`}</Mark>
        )}
      </>
    );
  };
  return (
    <Box title="Which leads to which">
      <table className="p-table">
        <thead>
          <tr>
            <th>From</th>
            <th>How</th>
            <th>To</th>
            <th>Stops</th>
          </tr>
        </thead>
        <tbody>
          {shape.edges.map((edge) => (
            <tr key={edge.id}>
              <td>{name(edge.from)}</td>
              <td>
                {edge.kind} {edge.isRing ? <Mark tone="warn">ring</Mark> : null}
              </td>
              <td>{name(edge.to)}</td>
              <td>{edge.stops.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Box>
  );
}
