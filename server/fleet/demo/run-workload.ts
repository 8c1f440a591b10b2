import { detailsService, ratingsService, reviewsService } from "./backends.ts";
import { type Handler, type ServiceContext, serveHttp } from "./http-service.ts";
import { productpageService } from "./productpage.ts";

const services: Record<string, (context: ServiceContext) => Handler> = {
  productpage: productpageService,
  details: detailsService,
  reviews: reviewsService,
  ratings: ratingsService,
};

/** Starts one demo service on loopback; throws for a name it does not know, or a port that is taken. */
export function runWorkload(context: ServiceContext, host: string, port: number) {
  const make = services[context.name];
  if (!make)
    throw new Error(`workload ${JSON.stringify(context.name)}: must be one of ${Object.keys(services).join(", ")}`);
  return serveHttp(make(context), host, port);
}
