import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import type { AzureIdentityConfig } from '../../src/runtime/azure-identity.ts';
import type { AzureContainer } from '../../src/snapshot/azure-account.ts';
import { AzureIssuer } from './azure-issuer.ts';
import { startLocalAzurite } from './services/azurite.ts';
import { makeCertificates, type Certificates } from './services/certificates.ts';
import type { AzuriteService, OwnInstance } from './services/service.ts';

/** What a test of identities needs: an issuer, a blob service that takes its tokens, and certificates that this thread trusts. */
export class IdentityPlace implements AsyncDisposable {
  readonly folder: string;
  readonly certificates: Certificates;
  readonly issuer: AzureIssuer;
  readonly azurite: AzuriteService & OwnInstance;

  private constructor(folder: string, certificates: Certificates, issuer: AzureIssuer, azurite: AzuriteService & OwnInstance) {
    this.folder = folder;
    this.certificates = certificates;
    this.issuer = issuer;
    this.azurite = azurite;
  }

  /** `keyFile`: key by which the issuer signs, when somebody else knows it. */
  static async create(keyFile?: string): Promise<IdentityPlace> {
    const folder = await mkdtemp(join(tmpdir(), 'rentfold-identity-'));
    const certificates = await makeCertificates(folder);
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), await readFile(certificates.caFile, 'utf8')]);
    const { serverFile } = certificates;
    return new IdentityPlace(folder, certificates, await AzureIssuer.start({ lifeSeconds: 60, serverFile, keyFile: keyFile ?? certificates.issuerKeyFile }), await startLocalAzurite({ inMemory: true, serverFile }));
  }

  /** A new container, opened by an identity. `endpoint` instead of the blob service's own. */
  container(identity: AzureIdentityConfig, endpoint: string = this.azurite.blobEndpoint): AzureContainer {
    return { container: `test-${randomBytes(8).toString('hex')}`, credential: { kind: 'identity', account: this.azurite.account, endpoint, identity } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.azurite[Symbol.asyncDispose]();
    await this.issuer[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
