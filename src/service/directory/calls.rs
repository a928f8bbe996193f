//! The calls: what is asked, put to the state machine.

use super::told::{Refusing, Told, hidden, told_error};
use super::{Hearing, names};
use crate::model::arn::Arn;
use crate::model::resource::Link;
use crate::model::tag::TagRef;
use crate::model::tagging::Plan;
use crate::tagging::{Edit, Hand, Keys, Law};
use crate::wire::status::CallError;
use crate::wire::v1;

/// What a call comes to.
type Worked = Result<(Told, Plan), CallError>;

pub(super) fn put(hearing: &Hearing<'_>, message: &v1::PutResourcesRequest) -> Worked {
    let v1::PutResourcesRequest { resources } = message;
    let told = names::descriptions(resources)?;
    let arns: Vec<Arn> = told.iter().map(|one| one.arn.clone()).collect();
    let law = Law::new(hearing.snapshot);
    let plan = hearing.inventory(&law).put(&told);
    Ok(hearing.told(&arns, Vec::new(), plan))
}

pub(super) fn remove(hearing: &Hearing<'_>, message: &v1::RemoveResourcesRequest) -> Worked {
    let v1::RemoveResourcesRequest { arns } = message;
    let arns = names::arns(arns)?;
    let law = Law::new(hearing.snapshot);
    let plan = hearing.inventory(&law).remove(&arns).map_err(told_error)?;
    Ok(hearing.told(&arns, Vec::new(), plan))
}

pub(super) fn move_to(hearing: &Hearing<'_>, message: &v1::MoveResourcesRequest) -> Worked {
    let v1::MoveResourcesRequest {
        writer,
        arns,
        resource_group,
    } = message;
    let field = "resource_group";
    let absent = || names::invalid(field.to_owned(), "absent");
    let group = resource_group.as_ref().ok_or_else(absent)?;
    let group = names::group(group, format!("{field}.id"))?;
    hearing.asking(writer.as_ref(), |asker| {
        let arns = hearing.arns_of(asker, arns)?;
        let law = Law::new(hearing.snapshot);
        let plan = hearing.actor(&law, asker).move_to(&arns, group.as_ref());
        let plan = plan.map_err(|error| hidden(asker, error))?;
        Ok(hearing.told_by(asker, &arns, plan))
    })
}

pub(super) fn tag(hearing: &Hearing<'_>, message: &v1::TagResourcesRequest) -> Worked {
    let v1::TagResourcesRequest {
        writer,
        arns,
        tags,
        form,
    } = message;
    hearing.asking(writer.as_ref(), |asker| {
        let (form, arns) = (names::form(*form)?, hearing.arns_of(asker, arns)?);
        let set = names::tags(tags)?;
        let law = Law::new(hearing.snapshot);
        let actor = hearing.actor(&law, asker);
        let edit = Edit {
            set: &set,
            removed: &[],
        };
        let refusing = Refusing {
            hearing,
            asker,
            law: &law,
            edit,
        };
        let plan = actor.tag(form, &arns, &set, Hand::User);
        let keys = set.iter().map(|tag: &TagRef<'_>| tag.key.to_owned());
        refusing.told(&arns, keys.collect(), plan)
    })
}

pub(super) fn untag(hearing: &Hearing<'_>, message: &v1::UntagResourcesRequest) -> Worked {
    let v1::UntagResourcesRequest {
        writer,
        arns,
        keys,
        all,
        form,
    } = message;
    hearing.asking(writer.as_ref(), |asker| {
        let (form, arns) = (names::form(*form)?, hearing.arns_of(asker, arns)?);
        let named = names::keys(keys)?;
        // tag-policy 5.2: "`All` counts only if no TagKey is given".
        let removed = match (*all, named.is_empty()) {
            (true, true) => Keys::All,
            (true | false, _) => Keys::These(&named),
        };
        let law = Law::new(hearing.snapshot);
        let plan = hearing.actor(&law, asker).untag(form, &arns, removed);
        let edit = Edit {
            set: &[],
            removed: &named,
        };
        let refusing = Refusing {
            hearing,
            asker,
            law: &law,
            edit,
        };
        refusing.told(&arns, keys.clone(), plan)
    })
}

pub(super) fn associate(hearing: &Hearing<'_>, message: &v1::AssociateResourcesRequest) -> Worked {
    let v1::AssociateResourcesRequest {
        writer,
        associations,
    } = message;
    linking(hearing, writer.as_ref(), associations, Linking::Made)
}

pub(super) fn dissociate(
    hearing: &Hearing<'_>,
    message: &v1::DissociateResourcesRequest,
) -> Worked {
    let v1::DissociateResourcesRequest {
        writer,
        associations,
    } = message;
    linking(hearing, writer.as_ref(), associations, Linking::Ended)
}

/// What happens to associations.
#[derive(Clone, Copy)]
enum Linking {
    Made,
    Ended,
}

fn linking(
    hearing: &Hearing<'_>,
    writer: Option<&v1::TagWriter>,
    associations: &[v1::ResourceAssociation],
    linking: Linking,
) -> Worked {
    hearing.asking(writer, |asker| {
        let links = names::links(associations)?;
        let law = Law::new(hearing.snapshot);
        let actor = hearing.actor(&law, asker);
        let plan = match linking {
            Linking::Made => actor.associate(&links),
            Linking::Ended => actor.dissociate(&links),
        };
        let plan = plan.map_err(|error| hidden(asker, error))?;
        Ok(hearing.told_by(asker, &associated(&links), plan))
    })
}

fn associated(links: &[Link]) -> Vec<Arn> {
    links.iter().map(|link| link.associated.clone()).collect()
}
