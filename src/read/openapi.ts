import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

/** Options from which the framework makes `/openapi.json` out of the routes. */
export function describeApi(versions: Readonly<Record<string, string>>, needsToken: boolean): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'rentfold',
        version: versions['rentfold'] ?? '0.0.0',
        description: 'Financial performance of rental properties, kept up to date from database change events. Amounts are exact decimal numbers.',
      },
      ...(needsToken ? { components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }, security: [{ token: [] }] } : {}),
    },
  };
}
