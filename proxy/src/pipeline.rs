//! The straight line from a request to its answer. One function owns the order; stages do not call each other.

use std::rc::Rc;

use http::{Response, StatusCode};

use crate::authorize::{Authorizer, Permitted};
use crate::credential::cache::{Held, Leases};
use crate::error::Error;
use crate::identity::{Identifier, Inbound};
use crate::inject::Injector;
use crate::route::Routes;
use crate::upstream::Upstream;
use crate::upstream::body::AnswerBody;

/// Every stage of one worker.
pub struct Pipeline {
    /// Who is calling.
    pub identifier: Rc<Identifier>,
    /// Where may it go.
    pub routes: Routes,
    /// May it, and with what.
    pub authorizer: Authorizer,
    /// The short-lived credential.
    pub leases: Rc<Leases>,
    /// Put on the request.
    pub injector: Injector,
    /// The only exit.
    pub upstream: Upstream,
}

impl Pipeline {
    /// Carries one request; an error is a refusal, and nothing has left unless the error is the upstream's.
    pub async fn mediate(&self, inbound: Inbound) -> Result<Response<AnswerBody>, Error> {
        let identified = self.identifier.identify(inbound).await?;
        let routed = self.routes.select(identified)?;
        let mut permitted = self.authorizer.authorize(routed).await?;
        permitted.routed().exchange().open()?;
        let held = self.obtain(&permitted).await?;
        let vouched = self.injector.inject(&mut permitted, held.as_ref())?;
        let answer = self.upstream.send(vouched).await?;
        let mut answer = self.second_try(&mut permitted, held, answer).await?;
        permitted.dress(answer.headers_mut());
        Ok(answer)
    }

    async fn obtain(&self, permitted: &Permitted) -> Result<Option<Held>, Error> {
        match permitted.permit() {
            Some(permit) => Ok(Some(self.leases.obtain(permit).await?)),
            None => Ok(None),
        }
    }

    /// A credential that the upstream no longer takes is replaced once, where the request can be sent again.
    async fn second_try(
        &self,
        permitted: &mut Permitted,
        held: Option<Held>,
        answer: Response<AnswerBody>,
    ) -> Result<Response<AnswerBody>, Error> {
        match held {
            Some(held) if answer.status() == StatusCode::UNAUTHORIZED && permitted.repeatable() => {
                // seldom needed, and large
                Box::pin(self.send_again(permitted, &held, answer)).await
            }
            Some(_) | None => Ok(answer),
        }
    }

    /// Sends the request with another secret, or gives back the `answer` that there is where none can be had.
    async fn send_again(
        &self,
        permitted: &mut Permitted,
        held: &Held,
        answer: Response<AnswerBody>,
    ) -> Result<Response<AnswerBody>, Error> {
        let Some(permit) = permitted.permit() else { return Ok(answer) };
        let Some(fresh) = self.leases.replace(permit, held).await else { return Ok(answer) };
        drop(answer);
        let vouched = self.injector.inject_again(permitted, &fresh, held)?;
        self.upstream.send(vouched).await
    }
}
