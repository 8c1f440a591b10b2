import { detailsService, RatingsStore, ratingsService, reviewsService } from "./backends.ts";
import { type Handler, type ServiceContext, serveHttp } from "./http-service.ts";
import { productpageService } from "./productpage.ts";
import { ratingsClient, serveRatings } from "./ratings-grpc.ts";

const services: Record<string, (context: ServiceContext, ratings: RatingsStore) => Handler> = {
  productpage: productpageService,
  details: detailsService,
  reviews: reviewsService,
  ratings: (_, ratings) => ratingsService(ratings),
};

export interface WorkloadOptions {
  /** Where ratings are served over gRPC, too. */
  grpcListen?: { host: string; port: number };
  /** Authority that reviews ask for ratings over gRPC, such as `ratings:9090`. */
  grpcRatings?: string;
}

/** What one demo service answers, for whoever serves it; throws for a name that it does not know. */
export function workloadHandler(context: ServiceContext, ratings = new RatingsStore()): Handler {
  const make = services[context.name];
  if (make) return make(context, ratings);
  throw new Error(`workload ${JSON.stringify(context.name)}: must be one of ${Object.keys(services).join(", ")}`);
}

/** Starts one demo service on loopback; throws for a name it does not know, or a port that is taken. */
export async function runWorkload(context: ServiceContext, host: string, port: number, options: WorkloadOptions = {}) {
  const ratings = new RatingsStore();
  const { grpcListen, grpcRatings } = options;
  const grpc = grpcListen && (await serveRatings((id) => ratings.get(id), grpcListen.host, grpcListen.port));
  const client = grpcRatings === undefined ? undefined : ratingsClient(context.proxy, grpcRatings);
  const http = await serveHttp(
    workloadHandler(client ? { ...context, grpcRatings: client } : context, ratings),
    host,
    port,
  );
  const close = async () => void (await Promise.all([http.close(), grpc?.close()]));
  return { port: http.port, grpcPort: grpc?.port, close };
}
